#!/usr/bin/env python3
"""Makes a RISC-V program of every kind of instruction, for the referees of what reads instructions.

    riscv_code.py OPCODES OUTPUT [SEED]        OPCODES is core/cpu/riscv_opcodes.h

It holds every compressed encoding, every full instruction of the table with random operands, and random words. It is
there to be read, not to be run.
"""

import os
import random
import re
import subprocess
import sys
import tempfile

TOOLS = 'riscv64-linux-gnu-'
KNOWN = [1, 2, 3, 0x100, 0x105, 0x141, 0x180, 0x300, 0x342, 0x3a2, 0x3ef, 0xb03, 0xc00, 0xc01, 0xc1f, 0x602, 0x7b1,
         0xf14, 0x123, 0x8ff]  # control registers
EXACT = [0xd2000053, 0xd2100053, 0x42000053]
OF_EACH = 60
WORDS = 20000


def words(header, chance):
    for match in re.finditer(r'X\(\w+, "[^"]+", (0x[0-9a-f]+), (0x[0-9a-f]+), \w+\)', header):
        value, mask = int(match[1], 16), int(match[2], 16)
        for _ in range(OF_EACH):
            word = value | (chance.getrandbits(32) & ~mask)
            # binutils writes fences with reserved fields as data, and conversions that are always exact but ask for
            # a rounding; and it knows names that only 32-bit machines have.
            if value & 0x7f == 0x0f:
                word &= 0x0ff0707f if value == 0x0f else 0x707f
            if value & 0x7f == 0x73 and value & 0x7000:
                word = word & 0xfffff | chance.choice(KNOWN) << 20
            if value in EXACT:
                word &= ~0x7000
            yield word
    for _ in range(WORDS):
        word = chance.getrandbits(32) | 3
        if word & 0x1c != 0x1c and word & 0x7f not in (0x0f, 0x73):
            yield word


def main():
    opcodes, output = sys.argv[1:3]
    chance = random.Random(int(sys.argv[3]) if len(sys.argv) > 3 else 1)
    with open(opcodes, encoding='utf-8') as file:
        header = file.read()
    halves = [half for half in range(0x10000) if half & 3 != 3]
    with tempfile.TemporaryDirectory() as folder:
        source, made = os.path.join(folder, 'code.s'), os.path.join(folder, 'code.o')
        with open(source, 'w', encoding='utf-8') as file:
            file.write('.text\n.globl _start\n_start:\n')
            file.writelines(f'.2byte {half}\n' for half in halves)
            file.writelines(f'.4byte {word}\n' for word in words(header, chance))
        subprocess.run([TOOLS + 'as', '-march=rv64gc_zba_zbb_zbs', '-o', made, source], check=True)
        # Without symbols nothing says which of the code is data: all of it is disassembled.
        subprocess.run([TOOLS + 'ld', '-s', '--no-relax', '-o', output, made], check=True)


if __name__ == '__main__':
    main()
