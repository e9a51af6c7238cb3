#!/usr/bin/env python3
"""ISA test programs in the way of riscv-tests and riscv-arch-test: they end by a store to `tohost` and leave a signature.

    isa.py TRAPLINE [PROGRAM...]

Programs of our own are made here: what is right comes from Python's arithmetic, or from the manual. Each runs in the
translator and in the interpreter. Programs of others that are named are run instead: each has to pass.
"""

import math
import os
import pathlib
import shutil
import struct
import subprocess
import sys
import tempfile

TOOLS = 'riscv64-linux-gnu-'
MASK = (1 << 64) - 1

passed = failed = 0


def check(what, good, shown=''):
    global passed, failed
    passed += bool(good)
    failed += not good
    if not good:
        print(f'FAILED {what}\n{shown}')


def signed(value, bits=64):
    value &= (1 << bits) - 1
    return value - (1 << bits) if value >> (bits - 1) else value


def word(value):
    return signed(value, 32) & MASK


def divide(a, b, bits, is_signed):
    x, y = (signed(a, bits), signed(b, bits)) if is_signed else (a & (1 << bits) - 1, b & (1 << bits) - 1)
    if y == 0:
        return -1, x
    quotient = abs(x) // abs(y) * (1 if (x < 0) == (y < 0) else -1)
    return quotient, x - quotient * y


def rotate(value, count, bits=64):
    value &= (1 << bits) - 1
    count %= bits
    return (value << count | value >> (bits - count)) & (1 << bits) - 1


def leading(value, bits):
    return bits - (value & (1 << bits) - 1).bit_length()


def trailing(value, bits):
    value &= (1 << bits) - 1
    return (value & -value).bit_length() - 1 if value else bits


BASE = {
    'add': lambda a, b: a + b, 'sub': lambda a, b: a - b, 'and': lambda a, b: a & b, 'or': lambda a, b: a | b,
    'xor': lambda a, b: a ^ b, 'sll': lambda a, b: a << (b & 63), 'srl': lambda a, b: a >> (b & 63),
    'sra': lambda a, b: signed(a) >> (b & 63), 'slt': lambda a, b: signed(a) < signed(b), 'sltu': lambda a, b: a < b,
    'addw': lambda a, b: word(a + b), 'subw': lambda a, b: word(a - b), 'sllw': lambda a, b: word(a << (b & 31)),
    'srlw': lambda a, b: word((a & 0xffffffff) >> (b & 31)), 'sraw': lambda a, b: word(signed(a, 32) >> (b & 31))}
MULTIPLY = {
    'mul': lambda a, b: a * b, 'mulh': lambda a, b: signed(a) * signed(b) >> 64, 'mulhu': lambda a, b: a * b >> 64,
    'mulhsu': lambda a, b: signed(a) * b >> 64, 'mulw': lambda a, b: word(a * b),
    'div': lambda a, b: divide(a, b, 64, True)[0], 'divu': lambda a, b: divide(a, b, 64, False)[0],
    'rem': lambda a, b: divide(a, b, 64, True)[1], 'remu': lambda a, b: divide(a, b, 64, False)[1],
    'divw': lambda a, b: word(divide(a, b, 32, True)[0]), 'divuw': lambda a, b: word(divide(a, b, 32, False)[0]),
    'remw': lambda a, b: word(divide(a, b, 32, True)[1]), 'remuw': lambda a, b: word(divide(a, b, 32, False)[1])}
BITS = {
    'andn': lambda a, b: a & ~b, 'orn': lambda a, b: a | ~b, 'xnor': lambda a, b: ~(a ^ b),
    'sh1add': lambda a, b: b + 2 * a, 'sh2add': lambda a, b: b + 4 * a, 'sh3add': lambda a, b: b + 8 * a,
    'add.uw': lambda a, b: b + (a & 0xffffffff), 'sh1add.uw': lambda a, b: b + 2 * (a & 0xffffffff),
    'sh2add.uw': lambda a, b: b + 4 * (a & 0xffffffff), 'sh3add.uw': lambda a, b: b + 8 * (a & 0xffffffff),
    'max': lambda a, b: max(signed(a), signed(b)), 'maxu': max, 'min': lambda a, b: min(signed(a), signed(b)), 'minu': min,
    'rol': lambda a, b: rotate(a, b & 63), 'ror': lambda a, b: rotate(a, 64 - (b & 63)),
    'rolw': lambda a, b: word(rotate(a, b & 31, 32)), 'rorw': lambda a, b: word(rotate(a, 32 - (b & 31), 32)),
    'bset': lambda a, b: a | 1 << (b & 63), 'bclr': lambda a, b: a & ~(1 << (b & 63)),
    'binv': lambda a, b: a ^ 1 << (b & 63), 'bext': lambda a, b: a >> (b & 63) & 1}
UNARY = {
    'clz': lambda a: leading(a, 64), 'clzw': lambda a: leading(a, 32), 'ctz': lambda a: trailing(a, 64),
    'ctzw': lambda a: trailing(a, 32), 'cpop': lambda a: bin(a).count('1'), 'cpopw': lambda a: bin(a & 0xffffffff).count('1'),
    'sext.b': lambda a: signed(a, 8), 'sext.h': lambda a: signed(a, 16), 'zext.h': lambda a: a & 0xffff,
    'rev8': lambda a: int.from_bytes(a.to_bytes(8, 'little'), 'big'),
    'orc.b': lambda a: sum(0xff << 8 * i for i in range(8) if a >> 8 * i & 255)}
ATOMIC = {
    'swap': lambda a, b: b, 'add': lambda a, b: a + b, 'xor': lambda a, b: a ^ b, 'and': lambda a, b: a & b,
    'or': lambda a, b: a | b, 'min': lambda a, b: min(signed(a), signed(b)), 'max': lambda a, b: max(signed(a), signed(b)),
    'minu': min, 'maxu': max}
BRANCHES = {
    'beq': lambda a, b: a == b, 'bne': lambda a, b: a != b, 'blt': lambda a, b: signed(a) < signed(b),
    'bge': lambda a, b: signed(a) >= signed(b), 'bltu': lambda a, b: a < b, 'bgeu': lambda a, b: a >= b}
NUMBERS = [0, 1, 2, 31, 63, 0x7fffffff, 0x80000000, 0xffffffff, 0x0123456789abcdef, 1 << 63, (1 << 63) - 1, MASK, MASK - 1,
           0xffffffff80000000]
DOUBLES = [0.0, -0.0, 1.0, -1.5, 3.0, 1e308, -1e-310, 5e-324, 0.1, math.pi, -123456789.25, float('inf')]


class Program:
    """Tests one behind the other, each with a number; what they came to is the signature."""

    def __init__(self):
        self.lines, self.expected, self.number = [], [], 1

    def test(self, code, expected, register='a2'):
        """Code that leaves in the register what is expected."""
        self.number += 1
        expected = int(expected) & MASK
        self.expected.append(expected)
        self.lines += [f'\tli gp, {self.number}', *('\t' + line for line in code), f'\tsd {register}, 0(s0)', '\taddi s0, s0, 8',
                       f'\tli t6, {expected:#x}', f'\tbeq {register}, t6, 1f', '\tj fail', '1:']

    def text(self):
        return f'''
	.globl _start, tohost, fromhost, begin_signature, end_signature
_start:	la t0, trap
	csrw mtvec, t0
	la s0, begin_signature
	li t0, 0x6000
	csrs mstatus, t0
	li t0, -1
	csrw pmpaddr0, t0
	li t0, 0x1f
	csrw pmpcfg0, t0
{chr(10).join(self.lines)}
	li t0, 1
	j tell
	.balign 4
trap:	csrr t3, mcause
	csrr t4, mtval
	csrr t5, mepc
	jr s1
fail:	slli t0, gp, 1
	ori t0, t0, 1
tell:	la t1, tohost
	sd t0, 0(t1)
	j tell
	.data
	.balign 4096
tables:	.zero 12288
data:	.dword 0x8877665544332211, 0xf0debc9a78563412
	.balign 64
tohost:	.dword 0
	.balign 64
fromhost: .dword 0
	.balign 16
begin_signature: .zero {8 * len(self.expected)}
end_signature: .dword 0
'''


def integers(operations):
    program = Program()
    for name, operation in operations.items():
        for i, a in enumerate(NUMBERS):
            for b in (NUMBERS[(i * 5 + 3) % len(NUMBERS)], NUMBERS[(i + 1) % len(NUMBERS)], a, 0):
                program.test([f'li a0, {a:#x}', f'li a1, {b:#x}', f'{name} a2, a0, a1'], operation(a, b))
        program.test(['li a0, 5', 'li a1, 3', f'{name} zero, a0, a1'], 0, 'zero')
        program.test(['li a0, -7', 'li a1, 2', f'{name} a0, a0, a1'], operation(MASK - 6, 2), 'a0')
    return program


def immediates():
    program = Program()
    for a in NUMBERS:
        for b in (0, 1, -1, 2047, -2048, 170):
            for name in ('add', 'and', 'or', 'xor', 'slt', 'addw'):
                program.test([f'li a0, {a:#x}', f'{name[:-1] if name == "addw" else name}i{"w" if name == "addw" else ""} a2, a0, {b}'],
                             BASE[name](a, b & MASK))
        for name, shift in (('sll', 63), ('srl', 1), ('sra', 63), ('sllw', 31), ('srlw', 1), ('sraw', 31)):
            program.test([f'li a0, {a:#x}', f'{name[:3]}i{name[3:]} a2, a0, {shift}'], BASE[name](a, shift))
    for name, operation in UNARY.items():
        for a in NUMBERS:
            program.test([f'li a0, {a:#x}', f'{name} a2, a0'], operation(a))
    program.test(['1: auipc a2, 0', 'la a0, 1b', 'sub a2, a2, a0'], 0)
    program.test(['lui a2, 0x80000'], 0xffffffff80000000)
    return program


def memory():
    program = Program()
    content = struct.pack('<QQ', 0x8877665544332211, 0xf0debc9a78563412)
    for name, size in (('lb', 1), ('lbu', 1), ('lh', 2), ('lhu', 2), ('lw', 4), ('lwu', 4), ('ld', 8)):
        for at in range(0, 9):
            value = int.from_bytes(content[at:at + size], 'little')
            program.test(['la a0, data+4', f'{name} a2, {at - 4}(a0)'],
                         value if name.endswith('u') or size == 8 else signed(value, 8 * size))
    for name, size in (('sb', 1), ('sh', 2), ('sw', 4), ('sd', 8)):
        for at in (0, 1, 3, 7):
            changed = bytearray(16)
            changed[at:at + size] = (0x0123456789abcdef & (1 << 8 * size) - 1).to_bytes(size, 'little')
            for half in (0, 8):
                program.test(['la a0, data+16', 'sd zero, 0(a0)', 'sd zero, 8(a0)', 'li a1, 0x0123456789abcdef',
                              f'{name} a1, {at}(a0)', f'ld a2, {half}(a0)'],
                             int.from_bytes(changed[half:half + 8], 'little'))
    for name, operation in BRANCHES.items():
        for i, a in enumerate(NUMBERS):
            for b in (a, NUMBERS[(i + 3) % len(NUMBERS)]):
                program.test([f'li a0, {a:#x}', f'li a1, {b:#x}', 'li a2, 1', f'{name} a0, a1, 2f', 'li a2, 0', '2:'],
                             operation(a, b))
    program.test(['la a0, 2f', 'jalr a2, 1(a0)', '2: la a1, 2b', 'sub a2, a2, a1'], 0)
    program.test(['li a2, 0', 'jal a1, 2f', 'addi a2, a2, 1', '2: addi a2, a2, 2'], 2)
    return program


def atomics():
    program = Program()
    for name, operation in ATOMIC.items():
        for a, b in zip(NUMBERS, NUMBERS[4:] + NUMBERS[:4]):
            for size, bits in (('w', 32), ('d', 64)):
                narrow = signed(a, 32) & MASK if bits == 32 else a, signed(b, 32) & MASK if bits == 32 else b
                code = ['la a0, data+16', f'li a1, {a:#x}', 'sd a1, 0(a0)', f'li a1, {b:#x}', f'amo{name}.{size} a2, a1, (a0)']
                program.test(code, narrow[0])
                kept = operation(*narrow) & (1 << bits) - 1
                program.test([f'l{size} a2, 0(a0)'], signed(kept, bits))
    program.test(['la a0, data', 'lr.d a1, (a0)', 'li a3, 77', 'sc.d a2, a3, (a0)'], 0)
    program.test(['ld a2, 0(a0)'], 77)
    program.test(['sc.d a2, a3, (a0)'], 1)
    program.test(['lr.w a1, (a0)', 'sc.w a2, a1, (a0)'], 0)
    return program


def as_bits(value, single=False):
    if single:
        return struct.unpack('<I', struct.pack('<f', value))[0]
    return struct.unpack('<Q', struct.pack('<d', value))[0]


def rounded(value):
    return struct.unpack('<f', struct.pack('<f', value))[0]


def floats():
    """Python's arithmetic is that of doubles; of singles it is, too, when the result is rounded once more."""
    program = Program()
    operations = {'fadd': lambda a, b: a + b, 'fsub': lambda a, b: a - b, 'fmul': lambda a, b: a * b,
                  'fdiv': lambda a, b: a / b}
    for single in (False, True):
        size = 's' if single else 'd'
        move = 'fmv.w.x' if single else 'fmv.d.x'
        numbers = [number if not single or not 0 < abs(number) < 1e-30 and abs(number) < 1e38 or math.isinf(number) else 7.5
                   for number in DOUBLES]
        numbers = [rounded(number) if single else number for number in numbers]
        for name, operation in operations.items():
            for i, a in enumerate(numbers):
                b = numbers[(i * 7 + 2) % len(numbers)]
                if name == 'fdiv' and b == 0 or math.isinf(a) and math.isinf(b) or 0 in (a, b) and math.inf in (a, b):
                    continue
                result = operation(a, b)
                if single and not math.isinf(result) and abs(result) > 3e38:
                    continue
                expected = as_bits(result, single)
                program.test([f'li a0, {as_bits(a, single):#x}', f'li a1, {as_bits(b, single):#x}', f'{move} fa0, a0',
                              f'{move} fa1, a1', f'{name}.{size} fa2, fa0, fa1', f'fmv.x.{"w" if single else "d"} a2, fa2'],
                             signed(expected, 32) if single else expected)
        for a in numbers:
            if a >= 0:
                expected = as_bits(math.sqrt(a), single)
                program.test([f'li a0, {as_bits(a, single):#x}', f'{move} fa0, a0', f'fsqrt.{size} fa2, fa0',
                              f'fmv.x.{"w" if single else "d"} a2, fa2'], signed(expected, 32) if single else expected)
            whole = max(min(a, 2.0 ** 63), -2.0 ** 63)
            program.test([f'li a0, {as_bits(a, single):#x}', f'{move} fa0, a0', f'fcvt.l.{size} a2, fa0, rtz'],
                         min(int(whole), (1 << 63) - 1))
            for b in numbers:
                for name, good in (('feq', a == b), ('flt', a < b), ('fle', a <= b)):
                    program.test([f'li a0, {as_bits(a, single):#x}', f'li a1, {as_bits(b, single):#x}', f'{move} fa0, a0',
                                  f'{move} fa1, a1', f'{name}.{size} a2, fa0, fa1'], good)
    program.test(['fsflagsi 0', 'li a0, 1', 'fcvt.d.l fa0, a0', 'fmv.d.x fa1, zero', 'fdiv.d fa2, fa0, fa1', 'frflags a2'], 8)
    program.test(['fsflagsi 0', 'fmv.d.x fa1, zero', 'fdiv.d fa2, fa1, fa1', 'fmv.x.d a2, fa2'], 0x7ff8 << 48)
    program.test(['frflags a2'], 16)
    for bits, kind in ((0xfff0 << 48, 0), (as_bits(-1.0), 1), (1 << 63 | 1, 2), (1 << 63, 3), (0, 4), (1, 5),
                       (as_bits(1.0), 6), (0x7ff0 << 48, 7), (0x7ff0 << 48 | 1, 8), (0x7ff8 << 48, 9)):
        program.test([f'li a0, {bits:#x}', 'fmv.d.x fa0, a0', 'fclass.d a2, fa0'], 1 << kind)
    return program


def compressed():
    program = Program()
    for code, expected in ((['c.li a2, -5'], -5), (['c.li a2, 3', 'c.addi a2, -4'], -1), (['c.lui a2, 1'], 4096),
                           (['li a2, 1', 'c.slli a2, 63'], 1 << 63), (['li a2, -1', 'c.srli a2, 60'], 15),
                           (['li a2, -64', 'c.srai a2, 3'], -8), (['li a2, 255', 'c.andi a2, -16'], 240),
                           (['li a0, 7', 'c.mv a2, a0'], 7), (['li a0, 7', 'li a2, 8', 'c.add a2, a0'], 15),
                           (['li a0, 7', 'li a2, 8', 'c.sub a2, a0'], 1), (['li a0, 6', 'li a2, 3', 'c.xor a2, a0'], 5),
                           (['li a0, 6', 'li a2, 3', 'c.or a2, a0'], 7), (['li a0, 6', 'li a2, 3', 'c.and a2, a0'], 2),
                           (['li a0, 1', 'li a2, 0x7fffffff', 'c.addw a2, a0'], -(1 << 31)),
                           (['li a0, 1', 'li a2, -0x80000000', 'c.subw a2, a0'], 0x7fffffff),
                           (['li a2, -1', 'c.addiw a2, 0'], -1),
                           (['la a0, data', 'c.ld a2, 8(a0)'], 0xf0debc9a78563412),
                           (['la a0, data', 'c.lw a2, 4(a0)'], 0xffffffff88776655),
                           (['la a0, data+16', 'li a1, 9', 'c.sd a1, 0(a0)', 'ld a2, 0(a0)'], 9),
                           (['la sp, data', 'c.ldsp a2, 0(sp)'], 0x8877665544332211),
                           (['la sp, data', 'c.addi4spn a2, sp, 16', 'sub a2, a2, sp'], 16),
                           (['la sp, data', 'mv a0, sp', 'c.addi16sp sp, -32', 'sub a2, sp, a0'], -32),
                           (['li a2, 1', 'li a0, 0', 'c.beqz a0, 2f', 'li a2, 2', '2:'], 1),
                           (['li a2, 1', 'li a0, 0', 'c.bnez a0, 2f', 'li a2, 2', '2:'], 2),
                           (['li a2, 1', 'c.j 2f', 'li a2, 2', '2:'], 1),
                           (['li a2, 1', 'la a0, 2f', 'c.jr a0', 'li a2, 2', '2:'], 1),
                           (['la a0, 2f', 'c.jalr a0', '3: li a2, 2', '2: la a1, 3b', 'sub a2, ra, a1'], 0)):
        program.test(code, expected)
    return program


def privileged():
    """Machine mode's traps, and the supervisor's: what is where when they come."""
    program = Program()

    def trap(code, cause, more=()):
        program.test(['la s1, 9f', *code, '9: mv a2, t3'], cause)
        for register, expected in more:
            program.test([], expected, register)
    trap(['.word 0'], 2, [('t4', 0)])
    trap(['.word 0xffffffff'], 2, [('t4', 0xffffffff)])
    trap(['ecall'], 11)
    trap(['ebreak'], 3)
    trap(['csrw mhartid, zero'], 2)
    trap(['csrr a0, 0x123'], 2)
    trap(['li a0, 0x40000000', 'ld a1, 0(a0)'], 5, [('t4', 0x40000000)])
    trap(['li a0, 0x40000000', 'sd a1, 0(a0)'], 7, [('t4', 0x40000000)])
    trap(['li a0, 0x40000000', 'jr a0'], 1, [('t4', 0x40000000), ('t5', 0x40000000)])
    trap(['la a0, data+1', 'lr.d a1, (a0)'], 4)
    trap(['la a0, data+1', 'sc.d a1, a1, (a0)'], 6)
    program.test(['csrr a2, misa', 'srli a2, a2, 62'], 2)
    program.test(['csrr a2, mhartid'], 0)
    program.test(['li a0, 0x1234', 'csrw mscratch, a0', 'csrrwi a2, mscratch, 5'], 0x1234)
    program.test(['csrrsi a2, mscratch, 8'], 5)
    program.test(['csrrci a2, mscratch, 1'], 13)
    program.test(['csrr a2, mscratch'], 12)
    enter = ['li a0, 0x1800', 'csrc mstatus, a0', 'la a0, 8f', 'csrw mepc, a0']
    supervisor = ['li a1, 0x800', 'csrs mstatus, a1', 'mret', '8:']
    trap([*enter, 'mret', '8: ecall'], 8)
    program.test(['csrr a2, mstatus', 'srli a2, a2, 11', 'andi a2, a2, 3'], 0)
    trap([*enter, 'mret', '8: csrr a0, sstatus'], 2)
    trap([*enter, 'mret', '8: mret'], 2)
    trap([*enter, *supervisor, 'ecall'], 9)
    trap([*enter, *supervisor, 'csrr a0, mstatus'], 2)
    trap([*enter, 'li a1, 0x100000', 'csrs mstatus, a1', *supervisor, 'csrr a0, satp'], 2)
    trap(['li a1, 0x100000', 'csrc mstatus, a1', *enter, 'li a1, 0x400000', 'csrs mstatus, a1', *supervisor, 'sret'], 2)
    trap(['li a1, 0x400000', 'csrc mstatus, a1', *enter, 'li a1, 0x200000', 'csrs mstatus, a1', *supervisor, 'wfi'], 2)
    # A trap that is the supervisor's, and back to the user by sret.
    program.test(['li a1, 0x200000', 'csrc mstatus, a1', 'li a1, 0x100', 'csrw medeleg, a1', 'la a1, 7f', 'csrw stvec, a1',
                  'la s1, 9f', *enter, 'mret', '8: li a2, 1', 'ecall', '.balign 4', '7: csrr a2, scause', 'ebreak',
                  '9: csrw medeleg, zero'], 8)
    program.test([], 3, 't3')
    # Sv39: a gigabyte as it is, and a page with no rights but to be read, whose bits the hart sets.
    program.test(['la a0, tables', 'srli a1, a0, 2', 'li t0, 0x200000cf', 'sd t0, 16(a0)', 'li t1, 4096', 'add t1, t1, a0',
                  'srli t2, t1, 2', 'ori t2, t2, 1', 'sd t2, 0(a0)', 'li t2, 8192', 'add t2, t2, a0', 'srli t3, t2, 2',
                  'ori t3, t3, 1', 'sd t3, 0(t1)', 'la t4, data', 'srli t4, t4, 12', 'slli t4, t4, 10', 'ori t4, t4, 7',
                  'sd t4, 8(t2)', 'ori t4, t4, 16', 'sd t4, 16(t2)', 'srli a0, a0, 12', 'li a1, 8', 'slli a1, a1, 60',
                  'or a0, a0, a1', 'csrw satp, a0', 'sfence.vma', 'la s1, 9f', *enter, *supervisor, 'la t0, data',
                  'li t1, 4095', 'and t0, t0, t1', 'li t1, 4096', 'add t0, t0, t1', 'ld a2, 0(t0)', 'ecall', '9:'],
                 0x8877665544332211)
    program.test(['la a0, tables', 'li t2, 8192', 'add t2, t2, a0', 'ld a2, 8(t2)', 'andi a2, a2, 0xff'], 0x47)
    trap([*enter, *supervisor, 'li t0, 0x1000', 'sd zero, 8(t0)', 'ecall'], 9)
    program.test(['ld a2, 8(t2)', 'andi a2, a2, 0xff'], 0xc7)
    trap([*enter, *supervisor, 'li t0, 0x3000', 'ld a1, 0(t0)'], 13, [('t4', 0x3000)])
    trap([*enter, *supervisor, 'li t0, 0x3000', 'sd a1, 0(t0)'], 15)
    trap([*enter, *supervisor, 'li t0, 0x1000', 'jr t0'], 12, [('t5', 0x1000)])
    trap([*enter, *supervisor, 'li t0, 0x2000', 'ld a1, 0(t0)'], 13)
    trap(['li a1, 0x40000', 'csrs mstatus, a1', *enter, *supervisor, 'li t0, 0x2000', 'ld a1, 0(t0)', 'ecall'], 9)
    trap([*enter, *supervisor, 'li t0, 0x4000000000', 'ld a1, 0(t0)'], 13)
    return program


def build(folder, name, text):
    source, made, linked = (folder / (name + end) for end in ('.s', '.o', '.elf'))
    source.write_text(text)
    subprocess.run([TOOLS + 'as', '-march=rv64gc_zba_zbb_zbs', '-o', made, source], check=True)
    subprocess.run([TOOLS + 'ld', '-n', '--no-warn-rwx-segments', '-Ttext=0x80000000', '-o', linked, made], check=True)
    return linked


def run(trapline, program, *options):
    result = subprocess.run([trapline, '-nx', '-q', '--batch', '--return-child-result', '-ex', 'continue', 'emu', *options, program],
                            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60, check=False)
    return result.returncode, result.stdout.decode(errors='replace')


def ours(trapline, folder):
    made = {'ui-register': integers(BASE), 'ui-immediate': immediates(), 'ui-memory': memory(), 'um': integers(MULTIPLY),
            'ub': integers(BITS), 'ua': atomics(), 'uf-ud': floats(), 'uc': compressed(), 'mi-si': privileged()}
    for name, program in made.items():
        linked = build(folder, name, program.text())
        wanted = ''.join(f'{half:08x}\n' for value in program.expected for half in (value & 0xffffffff, value >> 32))
        for options in ([], ['--interpreter']):
            file = folder / 'signature'
            status, text = run(trapline, linked, '--signature', file, *options)
            check(f'{name} {" ".join(options)}: {program.number} tests', status == 0 and 'exited normally' in text, text)
            check(f'{name} {" ".join(options)}: its signature', file.read_text() == wanted)
            file.unlink()


def conventions(trapline, folder):
    """A test that fails is named; characters and calls come out; a signature that cannot be is refused."""
    program = Program()
    program.test(['li a2, 1'], 1)
    program.test(['li a2, 1'], 2)
    linked = build(folder, 'fails', program.text())
    for options in ([], ['--interpreter'], ['--harts', '2']):
        status, text = run(trapline, linked, *options)
        check('a test that fails', status == 3 and 'test 3 failed' in text, f'{status} {text}')
    status, text = run(trapline, linked, '--signature', folder / 'nothing' / 'here')
    check('a signature that cannot be written', 'signature cannot be written' in text, text)
    program = Program()
    program.lines = ['\tla s2, tohost', '\tli s3, 0x0101000000000041', '\tli s4, 26', '2: sd s3, 0(s2)', '3: ld t0, 0(s2)',
                     '\tbnez t0, 3b', '\taddi s3, s3, 1', '\taddi s4, s4, -1', '\tbnez s4, 2b', '\tla t0, 5f', '\tsd t0, 0(s2)',
                     '4: ld t1, 0(s2)', '\tbnez t1, 4b', '\tla t1, fromhost', '\tld t2, 0(t1)', '\tsd zero, 0(t1)']
    program.test(['mv a2, t2'], 1)
    program.test(['la a0, 5f', 'ld a2, 0(a0)'], 13)
    text = program.text().replace('data:', '\t.balign 64\n5: .dword 64, 1, 6f, 13\n6: .ascii "hello, world\\n"\n\t.balign 8\ndata:')
    status, text = run(trapline, build(folder, 'speaks', text))
    check('characters and calls', status == 0 and 'ABCDEFGHIJKLMNOPQRSTUVWXYZhello, world\n' in text, f'{status} {text}')
    linked = build(folder, 'silent', '.globl _start\n_start: j _start\n')
    status, text = run(trapline, linked, '--signature', folder / 'signature')
    check('a program without a signature', status not in (0, 124) and 'no symbols tohost' in text, text)


def main():
    trapline = os.path.abspath(sys.argv[1])
    for program in sys.argv[2:]:
        for options in ([], ['--interpreter']):
            status, text = run(trapline, program, *options)
            check(f'{program} {" ".join(options)}', status == 0, text)
    if len(sys.argv) == 2:
        if shutil.which(TOOLS + 'as') is None:
            print(f'no {TOOLS}as: make setup installs it')
            return 77
        with tempfile.TemporaryDirectory() as folder:
            ours(trapline, pathlib.Path(folder))
            conventions(trapline, pathlib.Path(folder))
    print(f'{passed} passed, {failed} failed')
    return failed != 0


if __name__ == '__main__':
    sys.exit(main())
