#!/usr/bin/env python3
"""Makes trapline.ko for a kernel whose headers are installed: module.py [--kernel RELEASE] FOLDER

The module is FOLDER/trapline.ko. Without --kernel it is made for the newest of Debian's headers in /usr/src.
"""

import argparse
import os
import pathlib
import re
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent


def headers(release=None):
    """The folder of a kernel's headers; None when there is none."""
    if release:
        for folder in (pathlib.Path(f'/usr/src/linux-headers-{release}'), pathlib.Path(f'/lib/modules/{release}/build')):
            if folder.exists():
                return folder
        return None
    return max(pathlib.Path('/usr/src').glob('linux-headers-*-amd64'), default=None,
               key=lambda path: [int(number) for number in re.findall(r'\d+', path.name)])


def core_sources():
    """What core/meson.build lists."""
    listed = re.search(r"core_sources = files\((.*?)\n\)", (ROOT / 'core/meson.build').read_text(), re.S)[1]
    return [f'core/{name}' for name in re.findall(r"'([^']+\.c)'", listed)]


def write_if_changed(path, data):
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists() or path.read_bytes() != data:
        path.write_bytes(data)


def build(folder, kernel_headers):
    """Has Linux's build system make what stands in a folder; what it said, and whether it was content."""
    environment = {name: value for name, value in os.environ.items() if name not in ('MAKEFLAGS', 'MFLAGS', 'CFLAGS')}
    result = subprocess.run(['make', '-C', kernel_headers, f'M={folder}', '-j2', 'modules'], stdin=subprocess.DEVNULL,
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment, check=False)
    return result.stdout, result.returncode == 0


def make(folder, kernel_headers):
    """Compiles; what the build system said, and whether the module is there."""
    folder = pathlib.Path(folder).resolve()
    # Linux's build system puts objects beside their sources, so it gets copies.
    for part in ('core', 'stubs'):
        for path in sorted((ROOT / part).rglob('*.[ch]')):
            write_if_changed(folder / path.relative_to(ROOT), path.read_bytes())
    objects = ' '.join(source[:-2] + '.o' for source in core_sources())
    write_if_changed(folder / 'core.mk', f'TRAPLINE_CORE := {objects}\n'.encode())
    write_if_changed(folder / 'Kbuild', (ROOT / 'stubs/linux/Kbuild').read_bytes())
    said, done = build(folder, kernel_headers)
    return said, done and (folder / 'trapline.ko').exists()


def main():
    parser = argparse.ArgumentParser(description=__doc__.split('\n\n', maxsplit=1)[0])
    parser.add_argument('--kernel', help='the release, as uname -r says it')
    parser.add_argument('folder')
    options = parser.parse_args()
    found = headers(options.kernel)
    if found is None or shutil.which('make') is None:
        print('no kernel headers: install linux-headers-amd64 (make setup)')
        return 77
    said, done = make(options.folder, found)
    print(said)
    return not done


if __name__ == '__main__':
    sys.exit(main())
