#!/usr/bin/env python3
"""Bare-metal C programs in the translator, stopped after odd numbers of instructions: the same as the interpreter there.

    translated.py MACHINE KERNELS PROGRAM…

MACHINE is tests/emulator/run-machine; KERNELS is bench/guest/kernels.c, with start.S and link.ld beside it; the
PROGRAMs run to their end: modify.c changes its own code, triggers.c sets triggers for itself. They are compiled here.
"""

import os
import platform
import shutil
import subprocess
import sys
import tempfile

COMPILER = 'riscv64-unknown-elf-gcc'
FLAGS = ['-O2', '-march=rv64gc', '-mabi=lp64d', '-mcmodel=medany', '-nostdlib', '-nostartfiles', '-ffreestanding']
KERNELS = ('CRC', 'CALLS', 'INDIRECT', 'LIST', 'SORT', 'FLOAT', 'MIXED', 'PAGE')
WAYS = [['--translate'], ['--compare', '--marks', '--slices', '100000'], ['--compare', '--heat', '0', '--slices', '1,2,3,7,1000'],
        ['--compare', '--slices', '997'],
        ['--compare', '--heat', '0', '--room', '9000', '--slices', '1000']]


def build(source, folder, name, defines):
    guest = os.path.join(os.path.dirname(sys.argv[2]))
    made = os.path.join(folder, name)
    subprocess.run([COMPILER, *FLAGS, *defines, '-T', os.path.join(guest, 'link.ld'), '-o', made,
                    os.path.join(guest, 'start.S'), source], check=True)
    return made


def ways(program):
    """How it is run: `page` with a watchpoint, too, on the page that it writes to, and then on one of the words."""
    if not program.endswith('PAGE'):
        return WAYS
    names = subprocess.run(['riscv64-unknown-elf-nm', program], check=True, capture_output=True, text=True).stdout.splitlines()
    page = next(int(line.split()[0], 16) for line in names if line.endswith(' page'))
    return WAYS + [[*WAYS[2], '--watch', hex(page + 4088)], ['--compare', '--watch', hex(page + 2001)]]


def main():
    if shutil.which(COMPILER) is None or platform.machine() != 'x86_64':
        print(f'no {COMPILER}, or no x86-64: make setup installs the one')
        return 77
    machine, kernels, *others = sys.argv[1:]
    passed = failed = 0
    with tempfile.TemporaryDirectory() as folder:
        programs = [build(kernels, folder, name, [f'-DKERNEL_{name}', '-DTIMES=1']) for name in KERNELS]
        whole = [build(other, folder, os.path.basename(other) + '.elf', []) for other in others]
        for program in programs + whole:
            for way in ways(program):
                # Where the interpreter runs beside it, the beginning is enough.
                limit = ['--limit', '3000000'] if '--compare' in way and program not in whole else []
                result = subprocess.run([machine, *way, *limit, program], stdin=subprocess.DEVNULL, check=False,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, timeout=60)
                good = result.returncode == 0
                passed += good
                failed += not good
                if not good:
                    print(os.path.basename(program), *way, result.stderr.decode('utf-8', 'replace').strip())
    print(f'{passed} passed, {failed} failed')
    return failed != 0


if __name__ == '__main__':
    sys.exit(main())
