#!/usr/bin/env python3
"""Every header compiles by itself: it includes what it uses, and can be included twice. headers.py COMPILER…"""

import subprocess
import sys

from files import ROOT, tracked


def main():
    names = [name for name in tracked('*.h') if name != 'tests/unit/test.h']
    failures = 0
    for name in names:
        text = f'#include "{name}"\n#include "{name}"\nextern int nothing;\n'
        command = [*sys.argv[1:], '-std=gnu17', '-D_GNU_SOURCE', '-Wall', '-Wextra', '-Werror', '-Wno-unused-function',
                   '-fsyntax-only', '-I', str(ROOT), '-x', 'c', '-']
        result = subprocess.run(command, input=text, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                                check=False)
        if result.returncode != 0:
            print(f'{name} does not compile by itself:\n{result.stdout}')
            failures += 1
    print(f'{len(names)} headers: {failures} do not stand alone')
    return failures != 0 or not names


if __name__ == '__main__':
    sys.exit(main())
