#!/usr/bin/env python3
"""Every C file is laid out as clang-format does it (.clang-format in the root)."""

import shutil
import subprocess
import sys

from files import ROOT, tracked


def main():
    program = shutil.which('clang-format-14') or shutil.which('clang-format')
    if program is None:
        print('no clang-format: install it (make setup)')
        return 77
    version = subprocess.run([program, '--version'], capture_output=True, text=True, check=True).stdout
    if ' 14.' not in version:
        print(f'{version.strip()}: versions differ in what they do; this check is for 14, as in Debian 12')
        return 77
    names = tracked('*.c', '*.h')
    result = subprocess.run([program, '--dry-run', '-Werror', *names], cwd=ROOT, stderr=subprocess.PIPE, text=True,
                            check=False)
    wrong = sorted({line.split(':')[0] for line in result.stderr.splitlines() if ': error: ' in line})
    for name in wrong:
        print(f'{name}: not laid out')
    if wrong:
        print(f'mend it with:  clang-format -i {" ".join(wrong)}')
    print(f'{len(names)} files: {len(wrong)} not laid out')
    return result.returncode != 0 or not names


if __name__ == '__main__':
    sys.exit(main())
