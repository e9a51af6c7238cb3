#!/usr/bin/env python3
"""binutils as the referee of instructions: every one of a program's code, where it begins and how it is written.

    disassemble_referee.py DISASSEMBLE att|intel|riscv|arm64 WANTED PROGRAM…     DISASSEMBLE is the test program tests/debugger/disassemble

gdb's `disassemble` and objdump are one disassembler. Where instructions begin must be the same everywhere; of the
texts, but for symbols, WANTED percent.
"""

import collections
import os
import re
import shutil
import subprocess
import sys


def objdump(path, flavor):
    program = {'riscv': 'riscv64-linux-gnu-objdump', 'arm64': 'aarch64-linux-gnu-objdump'}.get(flavor, 'objdump')
    command = [program, '-d', '-w', '-z', '--no-show-raw-insn', *(['-M', 'intel'] if flavor == 'intel' else []), path]
    result = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, timeout=300)
    rows = []
    for line in result.stdout.splitlines():
        match = re.match(r'^\s*([0-9a-f]+):\t(.*)$', line)
        if match:
            rows.append((int(match[1], 16), match[2]))
        else:
            rows.append((None, ''))
    return rows


def normal(text):
    """Without symbols; an address that objdump writes as a bare number is one with 0x in front, as in gdb."""
    text = re.sub(r' <[^<>]*(<[^<>]*>)*[^<>]*>', '', text.strip())
    # On RISC-V objdump remembers what the instruction before put into a register; gdb's x/i does not.
    text = re.sub(r'(\((?!zero)\w+\)|,-?\d+) # 0x[0-9a-f]+$', r'\1', text)
    text = re.sub(r'(# )([0-9a-f]+)$', r'\g<1>0x\2', text)
    return re.sub(r'^((?:[a-z0-9.WRXB]+ )*(?:j[a-z]+|call|loop[a-z]*|xbegin|jmp|b[.a-z]*|cbn?z|tbn?z)(?:,p[tn])? +)([0-9a-f]+)$',
                  r'\g<1>0x\2', text)


def normal_arm64(text):
    """The same for 64-bit Arm: places of branches and literals; and what is no instruction to binutils is not known here."""
    text = re.sub(r'^(\.inst\t0x[0-9a-f]{8}) ; undefined$', r'\1', text.strip())
    return re.sub(r'^((?:bl?|b\.\w\w|(?:adrp?|cbn?z|tbn?z|ldr|ldrsw|prfm)\t\w+,(?: #\d+,)?)\s)([0-9a-f]+)(?: <[^/]*>)?((?:  // .*)?)$',
                  r'\g<1>0x\2\3', text)


def compare(disassemble, path, flavor, show):
    rows = objdump(path, flavor)
    addresses = [row[0] for row in rows if row[0] is not None]
    result = subprocess.run([disassemble, path, *(['intel'] if flavor == 'intel' else [])], check=True,
                            input=''.join(f'{address:x}\n' for address in addresses), stdout=subprocess.PIPE, text=True,
                            timeout=300)
    ours = dict(zip(addresses, (line.split('\t', 1) for line in result.stdout.splitlines())))
    bounds = texts = 0
    different = collections.Counter()
    example = {}
    for (address, text), (following, _) in zip(rows, rows[1:] + [(None, '')]):
        if address is None:
            continue
        size, ours_text = ours[address]
        # Where a symbol begins in the middle of an instruction, or data among code, objdump begins anew.
        if following is not None and address + int(size) != following and text.strip() not in ('(bad)', '...'):
            bounds += 1
            if bounds <= show:
                print(f'  {address:x}: objdump {following - address} bytes: {text!r}, ours {size}: {ours_text!r}')
        theirs = (normal_arm64 if flavor == 'arm64' else normal)(text)
        if theirs != ours_text.strip():
            texts += 1
            key = text.split()[0] if text.split() else ''
            different[key] += 1
            example.setdefault(key, (address, theirs, ours_text))
    return len(addresses), bounds, texts, different, example


def main():
    disassemble, flavor, wanted, *programs = sys.argv[1:]
    if shutil.which('objdump') is None:
        print('no objdump: install binutils (make setup)')
        return 77
    passed = failed = 0
    for path in programs:
        count, bounds, texts, different, example = compare(disassemble, path, flavor, 10)
        agreement = 100 - 100 * texts / max(count, 1)
        print(f'{os.path.basename(path)}: {count} instructions, {bounds} end elsewhere, '
              f'{agreement:.3f} % are written the same')
        for key, number in different.most_common(int(os.environ.get('SHOW', '8'))):
            address, theirs, ours = example[key]
            print(f'  {number:6} {key}: {address:x}\n           objdump {theirs!r}\n           ours    {ours!r}')
        good = bounds == 0 and agreement >= float(wanted)
        passed += good
        failed += not good
    print(f'{passed} passed, {failed} failed')
    return failed != 0


if __name__ == '__main__':
    sys.exit(main())
