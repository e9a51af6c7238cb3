#!/usr/bin/env python3
"""core/ compiled by Linux's own build system, as an out-of-tree module: kbuild.py FOLDER CORE-SOURCE…

It proves that nothing of core/ stands in the way of a kernel. The module is made, never loaded. Needs Debian's
linux-headers-amd64; without it the test is skipped.
"""

import glob
import os
import pathlib
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
MODULE = '''#include <linux/init.h>
#include <linux/module.h>

#include "core/status.h"

static int __init trapline_core_init(void)
{
	return tl_status_wire(TL_OK);
}

static void __exit trapline_core_exit(void)
{
}

module_init(trapline_core_init);
module_exit(trapline_core_exit);
MODULE_DESCRIPTION("Trapline's core, compiled for the kernel");
MODULE_LICENSE("Dual MIT/GPL");
'''


def write_if_changed(path, text):
    if not path.exists() or path.read_text() != text:
        path.write_text(text)


def main():
    folder = pathlib.Path(sys.argv[1])
    sources = [os.path.relpath(os.path.join(ROOT, source), ROOT) for source in sys.argv[2:]]
    headers = sorted(glob.glob('/usr/src/linux-headers-*-amd64'))
    if not headers:
        print('no kernel headers: install linux-headers-amd64 (make setup)')
        return 77
    # kbuild puts objects beside their sources, so it gets copies.
    for path in sorted((ROOT / 'core').rglob('*.[ch]')):
        copy = folder / path.relative_to(ROOT)
        copy.parent.mkdir(parents=True, exist_ok=True)
        if not copy.exists() or copy.read_bytes() != path.read_bytes():
            shutil.copy(path, copy)
    objects = ' '.join(source[:-2] + '.o' for source in sources)
    write_if_changed(folder / 'module.c', MODULE)
    write_if_changed(folder / 'Kbuild', f'obj-m := trapline.o\ntrapline-y := module.o {objects}\n'
                     'ccflags-y := -I$(src) -Werror -Wframe-larger-than=1024 -Wno-declaration-after-statement\n')
    command = ['make', '-C', headers[-1], f'M={folder.resolve()}', '-j2', 'modules']
    environment = {name: value for name, value in os.environ.items() if name not in ('MAKEFLAGS', 'MFLAGS', 'CFLAGS')}
    result = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                            text=True, env=environment, check=False)
    print(result.stdout)
    print('command:', ' '.join(command))
    return result.returncode != 0 or not (folder / 'trapline.ko').exists()


if __name__ == '__main__':
    sys.exit(main())
