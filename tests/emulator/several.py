#!/usr/bin/env python3
"""Random instructions on several emulated harts at once, which share memory and interrupt each other: the interpreter and
the translator come to the same, and so does each of them another time.

    several.py OPCODES MACHINE [--blocks N] [--seeds N] [--first SEED]

MACHINE is the test program tests/emulator/boot-machine. Each hart has a stream of its own, made as streams.py makes it: code,
page tables and a record of its traps; what they load from and store to, with reservations and atomic operations, too, is the
same 64 KiB for all. What they print in the end, all registers and all of memory are compared, for turns of several lengths:
where the harts meet depends on the length, and on nothing else."""

import argparse
import pathlib
import platform
import re
import shutil
import subprocess
import sys
import tempfile

import streams

TABLES_APART, OUTPUT_APART = 0x10000, 0x400000
ENDS = 0x83f00000  # a word for each hart: where its record ends, once it has
DEADLINE = 120

# The interrupts that harts send each other are taken back by the one that gets them.
INTERRUPTED = f'''
	csrr t1, mhartid
	slli t1, t1, 2
	li t2, {streams.SOFTWARE_INTERRUPTS}
	add t1, t1, t2
	sw zero, 0(t1)'''


def entry(hart, harts):
    if hart != 0:
        return f'\t.globl hart_{hart}\nhart_{hart}:'
    ways = [f'\tli t1, {other}\n\tbne t0, t1, 1f\n\tla t1, hart_{other}\n\tjr t1\n1:' for other in range(1, harts)]
    return '\t.globl _start\n_start:\n\tcsrr t0, mhartid\n' + '\n'.join(ways)


def before_end(hart, harts):
    """Another hart than the first says where its record ends, and waits for ever; the first waits for all of them."""
    if hart != 0:
        return f'\tla t0, context\n\tld t0, 24(t0)\n\tli t1, {ENDS + 8 * hart}\n\tsd t0, 0(t1)\n1:\tj 1b'
    return '\n'.join(f'\tli t0, {ENDS + 8 * other}\n1:\tld t1, 0(t0)\n\tbeqz t1, 1b' for other in range(1, harts))


def at_end(harts):
    return '\n'.join(f'\tli t0, {ENDS + 8 * other}\n\tld s1, 0(t0)\n\tli s0, {streams.OUTPUT + OUTPUT_APART * other}\n\tcall print'
                     for other in range(1, harts))


def build(folder, header, seed, blocks, harts):
    """One program for all of them."""
    parts = []
    for hart in range(harts):
        text = streams.program(header, seed * 100 + hart, blocks, others=[other for other in range(harts) if other != hart],
                               entry=entry(hart, harts), interrupted=INTERRUPTED, before_end=before_end(hart, harts),
                               at_end=at_end(harts) if hart == 0 else '', output=streams.OUTPUT + OUTPUT_APART * hart,
                               tables=streams.TABLES + TABLES_APART * hart)
        source, part = folder / f'{hart}.s', folder / f'{hart}.o'
        source.write_text(text)
        subprocess.run([streams.TOOLS + 'as', '-march=rv64gc_zba_zbb_zbs', '-o', part, source], check=True, timeout=DEADLINE)
        parts.append(part)
    subprocess.run([streams.TOOLS + 'ld', '-N', '--no-warn-rwx-segments', '--no-relax', '-Ttext=0x80000000', '-o', folder / 'program', *parts],
                   check=True, timeout=DEADLINE)
    return folder / 'program'


def run(machine, program, harts, quantum, *words):
    """What it printed, and how it ended: instructions, time, and a digest of registers and memory."""
    result = subprocess.run([machine, '--program', program, '--harts', str(harts), '--quantum', str(quantum), '--memory', '64', '--digest', 'yes',
                             '--begun', '300000000', *words], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                            timeout=DEADLINE, check=False)
    said = result.stderr.decode('utf-8', 'replace')
    found = re.match(r'(.*: begun \d+, time \d+ ns)\n(?:.*\n)*?(digest \w+)\n', said)
    if result.returncode != 0 or found is None:
        raise RuntimeError(f'{program} did not come to its end: {said}')
    return result.stdout.decode('ascii', 'replace').split(), found[1], found[2]


def interrupts(numbers):
    """How often the record of a trap tells of an interrupt by another hart."""
    return sum(number == f'{(1 << 63) + 3:016x}' for number in numbers)


def compare(options, header, folder, seed, harts):
    """True when all runs of a seed are the same; shorter turns than the usual ones let the harts meet more often."""
    program = build(folder, header, seed, options.blocks, harts)
    good, seen = True, set()
    for quantum in (20000, 700, 50):
        first = run(options.machine, program, harts, quantum)
        others = {'again': run(options.machine, program, harts, quantum)}
        if platform.machine() == 'x86_64':
            others['interpreted'] = run(options.machine, program, harts, quantum, '--interpret', 'yes')
        for name, other in others.items():
            if other != first:
                good = False
                at = next((n for n, (a, b) in enumerate(zip(first[0], other[0])) if a != b), None)
                print(f'seed {seed}, {harts} harts, turns of {quantum}, {name}: {first[1:]} and {other[1:]}; number {at} of {len(first[0])}')
        seen.add(first[2])
        if len(first[0]) < options.blocks * harts * 60 or interrupts(first[0]) == 0:
            print(f'seed {seed}, {harts} harts: {len(first[0])} numbers, {interrupts(first[0])} interrupts of each other')
            good = False
    if len(seen) == 1:
        print(f'seed {seed}, {harts} harts: the length of turns makes no difference, so they never met')
        good = False
    print(f'{"ok" if good else "FAILED"} seed {seed}, {harts} harts: {len(first[0])} numbers, {interrupts(first[0])} interrupts of each other')
    return good


def main():
    parser = argparse.ArgumentParser(description=__doc__.split('\n\n', maxsplit=1)[0])
    parser.add_argument('opcodes', type=pathlib.Path)
    parser.add_argument('machine')
    parser.add_argument('--blocks', type=int, default=60, help='of each hart')
    parser.add_argument('--seeds', type=int, default=2)
    parser.add_argument('--first', type=int, default=1)
    options = parser.parse_args()
    if shutil.which(streams.TOOLS + 'as') is None:
        print(f'no {streams.TOOLS}as: make setup installs it')
        return 77
    header = options.opcodes.read_text(encoding='utf-8')
    passed = failed = 0
    for seed in range(options.first, options.first + options.seeds):
        for harts in (2, 4):
            with tempfile.TemporaryDirectory(prefix='trapline-several-') as folder:
                good = compare(options, header, pathlib.Path(folder), seed, harts)
            passed += good
            failed += not good
    print(f'{passed} passed, {failed} failed')
    return failed != 0


if __name__ == '__main__':
    sys.exit(main())
