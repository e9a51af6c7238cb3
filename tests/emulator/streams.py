#!/usr/bin/env python3
"""Random instructions on the emulated hart, with QEMU as the referee: the same registers, traps and memory; and in the
translator, register for register what they are in the interpreter.

    streams.py OPCODES MACHINE [--blocks N] [--seed S] [--keep FILE]

MACHINE is the test program tests/emulator/run-machine, OPCODES core/cpu/riscv_opcodes.h. A bare-metal program is made of
blocks of random instructions, in machine, supervisor and user mode, with and without page tables. Each block starts from
random registers; traps are written down and the instruction is skipped; at its end all registers are. What the program
prints of this must be the same on both machines.

Of the privileged architecture there are: page tables of three and four levels with entries of all kinds, written anew
for each block, so that it is seen which accessed and dirty bits it sets; physical memory protection; delegated traps
and a supervisor's handler, direct and vectored; interrupts that software and the supervisor's timer hold up; the bits
of mstatus that lend privileges (MPRV, SUM, MXR) or take them (TVM, TW, TSR).
"""

import argparse
import os
import platform
import random
import re
import shutil
import subprocess
import sys
import tempfile

TOOLS = 'riscv64-linux-gnu-'
START = 0x80000000
LENGTH = 120  # instructions of a block
SCRATCH = 0x80400000  # 64 KiB that blocks load from and store to
TABLES = 0x80600000
OUTPUT = 0x80800000
SOFTWARE_INTERRUPTS = 0x2000000  # of the board: one word for each hart

HANDLER = r'''
	.option norvc
%(entry)s
	la t0, trap
	csrw mtvec, t0
	la t0, context
	csrw mscratch, t0
	li t1, %(output)d
	sd t1, 24(t0)
	li t1, -1
	csrw pmpaddr0, t1
	li t1, 0x1f
	csrw pmpcfg0, t1
	j block_0
	.align 4
trap:
	csrrw sp, mscratch, sp
	sd t0, 0(sp)
	sd t1, 8(sp)
	sd t2, 16(sp)
	csrr t0, mepc
	ld t1, 32(sp)
	beq t0, t1, finish
	la t1, handed_on
	beq t0, t1, finish
	ld t1, 24(sp)
	csrr t2, mcause
	sd t2, 0(t1)
	sd t0, 8(t1)
	csrr t2, mtval
	sd t2, 16(t1)
	addi t1, t1, 24
	sd t1, 24(sp)
	csrr t1, mcause
	bltz t1, interrupt
	li t2, 12
	beq t1, t2, finish
	li t2, 1
	bleu t1, t2, finish
	# Users' code stands a gigabyte lower in their eyes.
	mv t1, t0
	srli t2, t0, 31
	bnez t2, 1f
	lui t2, 0x40000
	add t1, t1, t2
1:	lhu t2, 0(t1)
	andi t2, t2, 3
	addi t2, t2, -3
	addi t0, t0, 2
	bnez t2, 1f
	addi t0, t0, 2
1:	csrw mepc, t0
leave:	ld t0, 0(sp)
	ld t1, 8(sp)
	ld t2, 16(sp)
	csrrw sp, mscratch, sp
	mret
interrupt:
%(interrupted)s
	li t1, 0x222
	csrc mip, t1
	li t1, -1
	csrw 0x14d, t1
	j leave
	# The supervisor's handler, which does the same; also where its vectors lead.
	.align 8
supervisor_trap:
	.rept 16
	j 1f
	.endr
1:	csrrw sp, sscratch, sp
	sd t0, 0(sp)
	sd t1, 8(sp)
	sd t2, 16(sp)
	csrr t0, sepc
	la t2, context
	ld t1, 32(t2)
	beq t0, t1, hand_on
	ld t1, 24(t2)
	csrr t2, scause
	sd t2, 0(t1)
	sd t0, 8(t1)
	csrr t2, stval
	sd t2, 16(t1)
	csrr t2, sstatus
	sd t2, 24(t1)
	addi t1, t1, 32
	la t2, context
	sd t1, 24(t2)
	csrr t1, scause
	bltz t1, 3f
	mv t1, t0
	srli t2, t0, 31
	bnez t2, 1f
	lui t2, 0x40000
	add t1, t1, t2
1:	lhu t2, 0(t1)
	andi t2, t2, 3
	addi t2, t2, -3
	addi t0, t0, 2
	bnez t2, 2f
	addi t0, t0, 2
2:	csrw sepc, t0
	ld t0, 0(sp)
	ld t1, 8(sp)
	ld t2, 16(sp)
	csrrw sp, sscratch, sp
	sret
	# Of interrupts what only machine mode can take away is not wanted any more.
3:	csrci sip, 2
	li t1, 0x220
	csrc sie, t1
	j 2b
hand_on:
	ld t0, 0(sp)
	ld t1, 8(sp)
	ld t2, 16(sp)
	csrrw sp, sscratch, sp
handed_on:
	ecall
finish:
	ld t1, 24(sp)
	csrr t2, mstatus
	sd t2, 0(t1)
	li t2, 0x6000
	csrs mstatus, t2
	csrr t2, fcsr
	sd t2, 8(t1)
	addi t1, t1, 16
	csrr t2, mscratch
	sd t2, 0(t1)
	ld t2, 0(sp)
	sd t2, 8(t1)
	ld t2, 8(sp)
	sd t2, 16(t1)
	ld t2, 16(sp)
	sd t2, 24(t1)
	addi t1, t1, 32
%(save)s
	addi t1, t1, %(saved)d
	sd t1, 24(sp)
	ld t0, 40(sp)
	csrw mscratch, sp
	jr t0
done:
	# Whatever the last block left: all of memory, as machine mode sees it.
	li t0, 0x20000
	csrc mstatus, t0
	csrw pmpcfg0, zero
%(before_end)s
	# All that was written, and the scratch memory, as a line of hexadecimal digits a number.
	la t0, context
	ld s1, 24(t0)
	li s0, %(output)d
	call print
	li s0, %(scratch)d
	li s1, %(scratch_end)d
	call print
	li s0, %(tables)d
	li s1, %(tables)d + 4096 * 4
	call print
%(at_end)s
	li t0, 0x100000
	li t1, 0x5555
	sw t1, 0(t0)
1:	j 1b
print:
	li s2, 0x10000000
2:	bgeu s0, s1, 6f
	ld s3, 0(s0)
	addi s0, s0, 8
	li s4, 64
3:	addi s4, s4, -4
	srl t0, s3, s4
	andi t0, t0, 15
	addi t0, t0, '0'
	li t1, '9'
	bleu t0, t1, 4f
	addi t0, t0, 39
4:	lbu t1, 5(s2)
	andi t1, t1, 0x20
	beqz t1, 4b
	sb t0, 0(s2)
	bnez s4, 3b
	li t0, 10
5:	lbu t1, 5(s2)
	andi t1, t1, 0x20
	beqz t1, 5b
	sb t0, 0(s2)
	j 2b
6:	ret
	.align 3
context: .zero 64
supervisor_context: .zero 64
'''


def tables(number, chance, place=TABLES):
    """Three levels: the first gigabytes as they are; a window on the scratch memory with pages of all kinds of rights. And
    a fourth, in which the same stands at both ends."""
    lines = [f'tables_{number}:', f'\tli t0, {place}']

    def put(offset, value):
        lines.append(f'\tli t1, {offset}')
        lines.append('\tadd t1, t1, t0')
        lines.append(f'\tli t2, {value:#x}')
        lines.append('\tsd t2, 0(t1)')
    # Root: 0xc0000000 is a table of windows; 0x80000000 for the supervisor; 0x40000000 the same for users.
    put(2 * 8, (0x80000000 >> 12) << 10 | 0xcf)
    put(1 * 8, (0x80000000 >> 12) << 10 | 0xdf)
    put(3 * 8, (place + 0x1000 >> 12) << 10 | 1)
    put(0x1000, (place + 0x2000 >> 12) << 10 | 1)
    put(0x1008, (SCRATCH & ~0x1fffff) >> 12 << 10 | chance.choice([0xdf, 0x1f, 0x5f]))
    put(0x1010, 0x80201000 >> 12 << 10 | 0xdf)  # a large page that is not aligned
    put(0x1018, (place + 0x2000 >> 12) << 10 | 0x41)  # accessed, and not a leaf
    put(0x3000, (place >> 12) << 10 | 1)
    put(0x3000 + 511 * 8, (place >> 12) << 10 | 1)
    put(0x3000 + 8, chance.choice([0, 0xdf, (0x80000000 >> 12) << 10 | 0xdf]))
    for page in range(64):
        rights = chance.choice([0xdf, 0xd7, 0xd3, 0xd9, 0xdb, 0xcf, 0xc7, 0xc3, 0x1f, 0x5f, 0xdd, 0x00, 0x0f, 0x17, 0x1f, 0x57])
        upper = chance.choice([0] * 20 + [1 << 63, 1 << 61, 1 << 62, 1 << 54])
        put(0x2000 + page * 8, ((SCRATCH >> 12) + page % 16) << 10 | rights | upper)
    return lines


def protection(chance, wanted):
    """Three regions of the scratch memory with rights of their own, before one of everything."""
    addresses, kinds = [], []
    for _ in range(3):
        at = SCRATCH + chance.randrange(16) * 4096 + chance.choice([0, 0, 0, chance.randrange(512) * 8])
        kind = chance.choice([0, 1, 2, 3, 3, 3] if addresses else [0, 2, 3])  # the first would begin at 0
        size = chance.choice([1, 2, 6, 9, 10, 11, 12])  # of 8 << size bytes
        addresses.append(at >> 2 if kind != 3 else at >> 2 & ~((1 << size) - 1) | (1 << size - 1) - 1)
        kinds.append(kind << 3 | chance.choice([0, 1, 3, 4, 5, 7]) if wanted else 0)
    lines = []
    for i, address in enumerate([*addresses, (1 << 54) - 1]):
        lines += [f'\tli t0, {address:#x}', f'\tcsrw pmpaddr{i}, t0']
    value = kinds[0] | kinds[1] << 8 | kinds[2] << 16 | 0x1f << 24
    return lines + [f'\tli t0, {value:#x}', '\tcsrw pmpcfg0, t0']


def save():
    lines = [f'\tsd x{n}, {8 * at}(t1)' for at, n in enumerate([1, 3, 4, *range(8, 32)])]
    lines += [f'\tfsd f{n}, {8 * (27 + n)}(t1)' for n in range(32)]
    return '\n'.join(lines)


def rows(header):
    found = []
    for match in re.finditer(r'X\((\w+), "([^"]+)", (0x[0-9a-f]+), (0x[0-9a-f]+), (\w+)\)', header):
        found.append((match[2], int(match[3], 16), int(match[4], 16), match[5]))
    return found


INTEGERS = [0, 1, 2, 0x7f, 0x80, 0xff, 0x7fff, 0x8000, 0x7fffffff, 0x80000000, 0xffffffff, 0x100000000, (1 << 63) - 1,
            1 << 63, (1 << 64) - 1, (1 << 64) - 2, 0xffffffff80000000]
FLOATS = [0, 1 << 63, 0x3ff0000000000000, 0x7ff0000000000000, 0xfff0000000000000, 0x7ff8000000000000,
          0x7ff0000000000001, 1, 0x000fffffffffffff, 0x0010000000000000, 0x7fefffffffffffff, 0x41dfffffffc00000,
          0xc1e0000000000000, 0x43e0000000000000, 0xffffffff3f800000, 0xffffffff7f800000, 0xffffffff7fc00000,
          0xffffffff7f800001, 0xffffffff00000001, 0xffffffff80000000, 0xffffffff4f000000, 0x3f800000,
          0xffffffff007fffff, 0xffffffff00800000, 0xffffffffcf000000, 0x3fe0000000000000, 0x4004000000000000]


class Blocks:
    """Writes blocks of instructions; all choices come from one random generator."""

    def __init__(self, header, chance, place=TABLES, others=()):
        """`place` is where its page tables are, `others` the harts that it interrupts."""
        self.chance = chance
        self.rows = [row for row in rows(header) if row[0] != 'ctzw']  # QEMU 7.2 counts beyond the 32 bits
        self.plain = [row for row in self.rows if row[3] in
                      ('I', 'SHIFT', 'R', 'UNARY', 'U', 'F4', 'F_ROUNDED', 'F_UNARY_ROUNDED', 'F', 'F_COMPARE',
                       'F_TO_X_ROUNDED', 'X_TO_F_ROUNDED', 'F_TO_X', 'X_TO_F')]
        self.memory = [row for row in self.rows if row[3] in ('LOAD', 'STORE', 'F_LOAD', 'F_STORE', 'LR', 'AMO')
                       and not row[0].startswith('sc.')]
        self.levels, self.delegates, self.protects = 3, False, False
        self.place, self.others = place, others
        self.branches = [row for row in self.rows if row[3] == 'B']

    def fill(self, row):
        return row[1] | self.chance.getrandbits(32) & ~row[2]

    def integer(self):
        if self.chance.random() < 0.5:
            return self.chance.choice(INTEGERS)
        return self.chance.getrandbits(64) >> self.chance.randrange(64)

    def address(self, mode):
        scratch = self.chance.randrange(16 * 4096)
        # Of an access that meets two regions or pages, of which each has its fault, either may come.
        if self.protects or self.chance.random() < 0.8:
            scratch &= ~7
        if mode in ('machine', 'bare'):
            return SCRATCH + scratch
        if self.levels == 4 and self.chance.random() < 0.3:
            return self.chance.choice([0xffffff8000000000, 0x8000000000, 0xffff800000000000, 0x800000000000]) + \
                0xc0000000 + self.chance.randrange(64) * 4096 + scratch % 4096
        kind = self.chance.random()
        if kind < 0.55:
            return 0xc0000000 + self.chance.randrange(64) * 4096 + scratch % 4096
        if kind < 0.7 and not self.protects:
            return 0xc0000000 + self.chance.randrange(1, 64) * 4096 + self.chance.randrange(-8, 8)
        if kind < 0.8:
            return 0xc0200000 + scratch
        if kind < 0.9:
            return self.chance.choice([0x80000000, 0x40000000]) + (SCRATCH - 0x80000000) + scratch
        return self.chance.choice([0xc0400000, 0xc0600000, 0xc0800000, 0x4000000000, 0xffffffc000000000,
                                   0x8000000000000000, 0x100, 0xfffffffffffffff8]) + scratch

    def touch(self, mode):
        row = self.chance.choice(self.memory)
        base = self.chance.randrange(1, 32)
        offset = self.chance.randrange(-64, 64) if row[3] not in ('LR', 'AMO') else 0
        target = self.address(mode) - offset
        if row[3] in ('LR', 'AMO'):  # which comes first of a bad page and a bad alignment is nowhere said
            target &= ~7
        word = self.fill(row) & ~(31 << 15) | base << 15
        if row[3] in ('LOAD', 'F_LOAD'):
            word = word & 0xfffff | (offset & 0xfff) << 20
        elif row[3] in ('STORE', 'F_STORE'):
            word = word & ~0xfe000f80 | (offset & 31) << 7 | (offset >> 5 & 127) << 25
        if row[3] == 'LR' and word >> 7 & 31 == base:  # sc at any address: QEMU does not look whether it is aligned
            word ^= 1 << 7
        lines = [f'\tli x{base}, {target & (1 << 64) - 1:#x}', f'\t.4byte {word:#x}']
        if row[0].startswith('lr.') and self.chance.random() < 0.8:
            other = next(r for r in self.rows if r[0] == 'sc.' + row[0][3:4])
            lines.append(f'\t.4byte {self.fill(other) & ~(31 << 15) | base << 15:#x}')
        return lines

    def touches(self, mode):
        """Several accesses by one register, with other instructions between them that leave it as it is."""
        base, most = self.chance.randrange(1, 32), self.chance.choice([8, 8, 60])
        target = self.address(mode) & ~7 & (1 << 64) - 1
        if most > 8 and self.chance.random() < 0.7:  # near the end of the page
            target |= 0xe00
        lines = [f'\tli x{base}, {target:#x}']
        if self.chance.random() < 0.8:  # the page was used before: by amoor.w of x0, or lw
            other = base % 31 + 1
            lines = [f'\tli x{other}, {target:#x}', f'\t.4byte {other << 15 | self.chance.choice([0x4000202f, 0x2003]):#x}', *lines]
        for _ in range(self.chance.randrange(2, 7)):
            between = self.fill(self.chance.choice(self.plain))
            if self.chance.random() < 0.4 and between >> 7 & 31 != base:
                lines.append(f'\t.4byte {between:#x}')
            row = self.chance.choice([row for row in self.memory if row[3] not in ('LR', 'AMO')])
            offset = 8 * self.chance.randrange(-most, most)
            if not self.protects and self.chance.random() < 0.2:
                offset += self.chance.randrange(8)
            word = self.fill(row) & ~(31 << 15) | base << 15
            if row[3] in ('LOAD', 'F_LOAD'):
                word = word & 0xfffff | (offset & 0xfff) << 20
                word ^= 1 << 7 if row[3] == 'LOAD' and word >> 7 & 31 == base else 0
            else:
                word = word & ~0xfe000f80 | (offset & 31) << 7 | (offset >> 5 & 127) << 25
            lines.append(f'\t.4byte {word:#x}')
        return lines

    def control(self, mode):
        # Not sepc and mepc, of which QEMU 7.2 keeps the lowest bit, nor those that enable counters, of
        # which it keeps 64, nor pmpaddr, of which it keeps all,
        # nor medeleg, in which it has bits of the hypervisor.
        known = [1, 2, 3, 0x143, 0x100, 0x180]
        known += [0x100, 0x144, 0x104] if self.delegates else [0x140, 0x105, 0x104]
        if mode in ('machine', 'lent'):
            known += [0x343, 0xf14]
        if mode == 'machine' and not self.protects:  # what QEMU has for the cause of a fault is not always right
            known += [0x342, 0x142]
        if self.delegates and mode in ('machine', 'lent', 'supervisor', 'bare'):
            known += [0x14d]
        if self.delegates and mode in ('machine', 'lent'):
            known += [0x344, 0x304, 0x300]
        number = self.chance.choice(known)
        kind = self.chance.choice([1, 2, 3, 5, 6, 7])
        rd, source = self.chance.randrange(32), self.chance.randrange(32)
        lines = []
        if number in (0x100,):  # not the interrupts, and the endianness stays
            kind = self.chance.choice([2, 3])
            source = self.chance.randrange(1, 32)
            bits = self.chance.getrandbits(24) & (0xc0122 if self.delegates else 0xc0120)
            # Floating point is on or off: QEMU does not take all that changes its registers for that.
            lines.append(f'\tli x{source}, {bits | self.chance.choice([0, 0x6000]):#x}')
            if self.delegates and self.chance.random() < 0.7:  # as a kernel turns interrupts off and on
                kind, source = self.chance.choice([(6, 2), (7, 2), (2, source), (2, 0)])
                lines = [f'\tli x{source}, {self.chance.choice([0, 2])}'] if kind == 2 else []
        if number == 0x300:  # only whether there are interrupts
            kind, source = self.chance.choice([2, 3]), self.chance.randrange(1, 32)
            lines.append(f'\tli x{source}, 8')
        if number == 0x180:
            kind, source = 2, 0
        if self.delegates and number in (0x144, 0x344, 0x104, 0x304):
            kind, source = self.chance.choice([2, 3]), self.chance.randrange(1, 32)
            lines.append(f'\tli x{source}, {self.chance.choice([2, 0x20, 0x200, 0x222]):#x}')
        if number == 0x344:  # QEMU has a timer of machine mode, which is due
            rd = 0
        if number == 0x14d:
            kind, source = 1, self.chance.randrange(1, 32)
            lines.append(f'\tli x{source}, {self.chance.choice([0, -1])}')
        if number == 0xf14 or number == 0x104 and not self.delegates:  # QEMU takes clearing of no bits for no write, also of what is read-only
            kind, source = 2, 0
        if number == 0x100 and kind == 6:  # what comes while they are off is taken when they are on
            lines = ['\tcsrci sstatus, 2', '\tcsrsi sie, 2', '\tcsrsi sip, 2']
        return lines + [f'\t.4byte {number << 20 | source << 15 | kind << 12 | rd << 7 | 0x73:#x}']

    def shifts(self, mode):
        """Rotations and extensions as compilers write them, of few registers, with all kinds of things in between."""
        pool = self.chance.sample(range(1, 32), 4)

        def shift(right, word, rd, source, by):
            return f'\t.4byte {by << 20 | source << 15 | (5 if right else 1) << 12 | rd << 7 | (0x1b if word else 0x13):#x}'

        def between():
            kind = self.chance.random()
            if kind < 0.4:
                return []
            if kind < 0.8:
                row = self.chance.choice(self.plain)
                word = self.fill(row)
                for field in (7, 15, 20):
                    if row[2] >> field & 31 == 0:  # else it is no register, but says which instruction it is
                        word = word & ~(31 << field) | self.chance.choice(pool) << field
                return [f'\t.4byte {word:#x}']
            return ['\t.4byte 0x00100073'] if kind < 0.83 else self.touch(mode)

        lines = []
        for _ in range(self.chance.randrange(2, 7)):
            word = self.chance.random() < 0.5
            bits = 32 if word else 64
            source, a, b, rd = (self.chance.choice(pool) for _ in range(4))
            by = self.chance.randrange(1, bits)
            kind = self.chance.random()
            if kind < 0.6:
                halves = [shift(True, word, a, source, by), shift(False, word, b, source, bits - by)]
                self.chance.shuffle(halves)
                operation = self.chance.choice([0x6033, 0x6033, 0x4033, 0x33, 0x3b, 0x7033])  # or, xor, add, addw, and
                first, second = self.chance.sample([a, b], 2)
                lines += [halves[0], *between(), halves[1], *between(),
                          f'\t.4byte {second << 20 | first << 15 | rd << 7 | operation:#x}', *between()]
            elif kind < 0.9:
                left = self.chance.choice([32, 32, 48, by])
                right = self.chance.choice([left, left, self.chance.randrange(64)])
                lines += [shift(False, False, a, source, left), *between(), shift(True, False, rd, a, right), *between()]
            else:
                lines += [shift(self.chance.random() < 0.5, word, a, source, by), *between()]
        return lines

    def touch_compressed(self, mode):
        """c.lw, c.ld, c.fld, c.sw, c.sd, c.fsd, and those by the stack pointer."""
        kind = self.chance.choice([1, 2, 3, 5, 6, 7])
        if self.chance.random() < 0.3:
            half = kind << 13 | self.chance.getrandbits(11) << 2 | 2
            if kind in (2, 3) and not half >> 7 & 31:  # rd is not x0
                half |= 1 << 7
            return [f'\tli x2, {self.address(mode) & (1 << 64) - 1:#x}', f'\t.2byte {half:#x}', '\t.2byte 1']
        base = self.chance.randrange(8)
        half = kind << 13 | self.chance.getrandbits(11) << 2 & ~(7 << 7) | base << 7
        return [f'\tli x{8 + base}, {self.address(mode) & (1 << 64) - 1:#x}', f'\t.2byte {half:#x}', '\t.2byte 1']

    def compressed(self):
        # Not loads, stores and jumps: these go by registers that hold anything.
        while True:
            half = self.chance.getrandbits(16)
            quadrant, kind = half & 3, half >> 13
            if quadrant == 0 and kind == 0 or quadrant == 1 and kind < 5 or quadrant == 2 and kind == 0:
                return [f'\t.2byte {half:#x}', '\t.2byte 1']
            if quadrant == 2 and kind == 4 and half >> 2 & 31:
                return [f'\t.2byte {half:#x}', '\t.2byte 1']

    def call_others(self):
        """Interrupts for some of the other harts."""
        lines = []
        for other in self.others:
            if self.chance.random() < 0.5:
                lines += [f'\tli t1, {SOFTWARE_INTERRUPTS + 4 * other:#x}', '\tli t0, 1', '\tsw t0, 0(t1)']
        return lines

    def one(self, mode):
        if self.others and mode == 'machine' and self.chance.random() < 0.04:
            return self.call_others()
        kind = self.chance.random()
        if kind < 0.04:
            return self.shifts(mode)
        if kind < 0.55:
            return [f'\t.4byte {self.fill(self.chance.choice(self.plain)):#x}']
        if kind < 0.69:
            return self.touch(mode)
        if kind < 0.73:
            return self.touches(mode)
        if kind < 0.76:
            return self.touch_compressed(mode)
        if kind < 0.82:
            return self.compressed()
        if kind < 0.88:
            word = self.fill(self.chance.choice(self.branches)) & ~0xfe000f80 | 8 << 7
            return [f'\t.4byte {word:#x}', f'\t.4byte {self.fill(self.chance.choice(self.plain)):#x}']
        if kind < 0.91:
            rd = self.chance.randrange(32)
            base = self.chance.randrange(1, 32)
            return [f'\t.4byte {8 << 20 | rd << 7 | 0x6f:#x}', '\t.4byte 0', f'\t.4byte {base << 7 | 0x17:#x}',
                    f'\t.4byte {(12 + self.chance.randrange(2)) << 20 | base << 15 | rd << 7 | 0x67:#x}', '\t.4byte 0']
        if kind < (0.98 if self.delegates else 0.96):
            return self.control(mode)
        word = self.chance.choice([0x10500073 if mode == 'user' else 0x13, 0x00000073, 0x00100073, 0x0000100f, 0x0ff0000f, 0x12000073, 0x10200073 if mode == 'user'
                                   else 0x12000073, 0x30200073 if mode not in ('machine', 'lent') else 0x13, 0x9002 << 16 | 1,
                                   self.chance.getrandbits(32) | 0x7f, 0x0000007b, 0xf1401073])
        return [f'\t.4byte {word:#x}']

    def block(self, number):
        mode = self.chance.choice(['machine', 'bare', 'supervisor', 'supervisor', 'user', 'user', 'lent'])
        privilege = {'machine': 3, 'lent': 3, 'bare': 1, 'supervisor': 1, 'user': 0}[mode]
        self.levels = self.chance.choice([3, 4])
        self.delegates = self.chance.random() < 0.5
        self.protects = self.chance.random() < 0.5
        shift = 0x40000000 if mode == 'user' else 0
        extra = self.chance.choice([0, 0x40000, 0x80000, 0xc0000])  # SUM, MXR
        if mode in ('supervisor', 'bare') and self.chance.random() < 0.3:
            extra |= self.chance.choice([1, 2]) << 20  # TVM, TW
        # Not what ends a block; and faults of loads and stores together: QEMU takes the one for the other.
        given = self.chance.getrandbits(16) & 0x81fc if self.delegates else 0
        given = given & ~0xa0a0 | (0xa0a0 if given & 0x80 else 0)
        paged = 0 if mode in ('machine', 'bare') else (8 if self.levels == 3 else 9) << 60 | self.place + (
            0 if self.levels == 3 else 0x3000) >> 12
        lines = ['\t.align 2', f'block_{number}:', '\tla t0, context', f'\tla t1, end_{number}',
                 f'\tli t2, {shift:#x}', '\tsub t1, t1, t2', '\tsd t1, 32(t0)',
                 f'\tla t1, block_{number + 1}', '\tsd t1, 40(t0)', '\tli t0, 0x7e79aa',
                 '\tcsrc mstatus, t0', '\tcsrw satp, zero', f'\tcall tables_{number}', *protection(self.chance, self.protects),
                 f'\tli t0, {8 if self.others else 0}', '\tcsrw mie, t0', *self.call_others(), '\tcsrw scause, zero',
                 '\tli t0, 0x222', '\tcsrc mip, t0', '\tli t0, -1', '\tcsrw 0x14d, t0',
                 f'\tli t0, {self.delegates << 63:#x}', '\tcsrw 0x30a, t0', '\tla t0, supervisor_context', '\tcsrw sscratch, t0',
                 f'\tli t0, {self.chance.getrandbits(10) & 0x222 if self.delegates else 0:#x}', '\tcsrw mideleg, t0',
                 f'\tli t0, {privilege << 11 | 0x6000 | extra:#x}', '\tcsrs mstatus, t0',
                 f'\tli t0, {given:#x}', '\tcsrw medeleg, t0', f'\tla t0, supervisor_trap + {self.chance.randrange(2)}',
                 '\tcsrw stvec, t0', '\tli t0, -1', '\tcsrw mcounteren, t0',
                 f'\tli t0, {paged:#x}', '\tcsrw satp, t0',
                 '\tsfence.vma', f'\tla t0, start_{number}', f'\tli t1, {shift:#x}', '\tsub t0, t0, t1',
                 '\tcsrw mepc, t0', f'\tla t0, numbers_{number}']
        lines += [f'\tfld f{n}, {8 * n}(t0)' for n in range(32)]
        lines += [f'\tli x{n}, {self.integer():#x}' for n in range(1, 32)]
        lines += ['\tfsrmi zero, %d' % self.chance.randrange(5), '\tfsflagsi zero, 0', '\tmret', f'start_{number}:',
                  '\t.option rvc']
        if mode == 'lent':  # by the user: behind a mret that changes whose rights are lent QEMU keeps what it had found
            lines += ['\tli x5, 0x20000', '\tcsrs mstatus, x5']
        for _ in range(LENGTH):
            lines += self.one(mode)
        lines += ['\t.align 2', f'end_{number}:', '\tecall', '\t.option norvc', '\t.align 3', f'numbers_{number}:']
        lines += [f'\t.8byte {self.number():#x}' for n in range(32)]
        return [*lines, *tables(number, self.chance, self.place), '\tret']

    def number(self):
        if self.chance.random() < 0.5:
            return self.chance.choice(FLOATS)
        value = self.chance.getrandbits(64)
        return value | 0xffffffff00000000 if self.chance.random() < 0.4 else value


def program(header, seed, count, others=(), **places):
    """Of one hart; `places` are those of HANDLER that are not as where it is alone."""
    chance = random.Random(seed)
    places = {'entry': '\t.globl _start\n_start:', 'interrupted': '', 'before_end': '', 'at_end': '', 'output': OUTPUT, 'tables': TABLES,
              **places}
    blocks = Blocks(header, chance, places['tables'], others)
    lines = [HANDLER % {'scratch': SCRATCH, 'scratch_end': SCRATCH + 65536, 'save': save(), 'saved': 8 * 59, **places}]
    for number in range(count):
        lines += blocks.block(number)
    lines += [f'block_{count}:', '\tj done']
    return '\n'.join(lines) + '\n'


def build(folder, text):
    source, made, linked = (os.path.join(folder, 'streams' + end) for end in ('.s', '.o', '.elf'))
    with open(source, 'w', encoding='utf-8') as file:
        file.write(text)
    subprocess.run([TOOLS + 'as', '-march=rv64gc_zba_zbb_zbs', '-o', made, source], check=True)
    subprocess.run([TOOLS + 'ld', '-N', '--no-warn-rwx-segments', '--no-relax', '-Ttext=0x80000000', '-o', linked, made], check=True)
    return linked


def run(command):
    result = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, timeout=30, check=False)
    return result.stdout.decode('ascii', 'replace').split()


def compare(theirs, ours, code):
    """The positions at which the numbers differ, but for what QEMU 7.2 does against the manual."""
    different = []
    for n, (a, b) in enumerate(zip(theirs, ours)):
        if a == b:
            continue
        # An atomic access to memory that is not there, or that may not be read, is a store's fault; QEMU finds it out
        # when it reads.
        if (int(a, 16), int(b, 16)) in ((13, 15), (5, 7), (5, 15), (13, 7)) and n + 1 < len(ours):
            at = int(ours[n + 1], 16)
            at += 0x40000000 if at < START else 0
            if 0 <= at - START < len(code) and code[at - START] & 0x7f == 0x2f:
                continue
        # Comparisons that raise a flag make the floating-point state dirty; with QEMU it stays clean.
        if (int(a, 16) ^ int(b, 16)) & ~(1 << 63 | 3 << 13) == 0 and int(b, 16) >> 13 & 3 == 3:
            continue
        # Where there is no memory, QEMU does an access that is not aligned in parts that are, and tells of one of those.
        if n >= 2 and int(ours[n - 2], 16) in (5, 7) and int(a, 16) in [int(b, 16) & ~low for low in (1, 3, 7)]:
            continue
        different.append(n)
    return different


# The translator is stopped after so many instructions, in turn, and must then be where the interpreter is: with code
# that is translated at once, with code that the interpreter has run before, and with little room for code.
SLICES = [('0', '10000', '0'), ('0', '1,2,3,7,1000', '0'), ('2', '1000', '0'), ('0', '5000', '20000')]


def translate(machine, linked):
    """How many of the comparisons of the translator with the interpreter fail; what they say is printed."""
    failed = 0
    for heat, slices, room in SLICES:
        result = subprocess.run([machine, '--compare', '--marks', '--heat', heat, '--slices', slices, '--room', room, linked],
                                timeout=60, check=False,
                                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        if result.returncode != 0:
            print(f'heat {heat}, slices {slices}: {result.stderr.decode("utf-8", "replace").strip()}')
            failed += 1
    return failed


def main():
    parser = argparse.ArgumentParser(description=__doc__.split('\n', maxsplit=1)[0])
    parser.add_argument('opcodes')
    parser.add_argument('machine')
    parser.add_argument('--blocks', type=int, default=150)
    parser.add_argument('--seed', type=int, default=1)
    parser.add_argument('--keep')
    options = parser.parse_args()
    for tool in ('qemu-system-riscv64', TOOLS + 'as'):
        if shutil.which(tool) is None:
            print(f'no {tool}: make setup installs it')
            return 77
    with open(options.opcodes, encoding='utf-8') as file:
        text = program(file.read(), options.seed, options.blocks)
    with tempfile.TemporaryDirectory() as folder:
        linked = build(folder, text)
        if options.keep:
            shutil.copy(linked, options.keep)
        theirs = run(['qemu-system-riscv64', '-M', 'virt', '-cpu', 'rv64,h=off', '-m', '64', '-bios', 'none', '-nographic',
                      '-monitor', 'none', '-serial', 'stdio', '-kernel', linked])
        ours = run([options.machine, linked])
        untranslated = translate(options.machine, linked) if platform.machine() == 'x86_64' else 0
        code = os.path.join(folder, 'code')
        subprocess.run([TOOLS + 'objcopy', '-O', 'binary', linked, code], check=True)
        with open(code, 'rb') as file:
            different = compare(theirs, ours, file.read())
    for n in different[:10]:
        print(f'number {n}: QEMU {theirs[n]}, ours {ours[n]}; before it {" ".join(ours[max(0, n - 4):n])}')
    same = len(theirs) == len(ours) and len(theirs) > options.blocks * 60 and not different and not untranslated
    if len(theirs) != len(ours):
        print(f'QEMU printed {len(theirs)} numbers, ours {len(ours)}')
    print(f'{options.blocks} blocks, seed {options.seed}: {len(theirs)} numbers, {len(different)} differ')
    print(f'{int(same)} passed, {int(not same)} failed')
    return not same


if __name__ == '__main__':
    sys.exit(main())
