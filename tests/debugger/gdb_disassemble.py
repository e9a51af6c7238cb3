#!/usr/bin/env python3
"""gdb as the referee of `disassemble` and `x/i`: functions and ranges, with bytes and source, line by line.

    gdb_disassemble.py [--gdb GDB] [--least PERCENT] LIST_CODE COUNT PROGRAM…      LIST_CODE is the test program tests/debugger/list_code

COUNT functions of each program, evenly chosen, are shown in every form. With --gdb another gdb is asked, and of programs for 64-bit Arm lines with an
instruction that is not known here (".inst 0x…", as SVE) count for themselves: they are told, and are not different.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys

FORMS = ['-', 'r', 's', 'm', 'rs']


def functions(program):
    """Addresses and ends of functions; those of which only the start is known end where they start."""
    listed = subprocess.run(['nm', '-S', program], check=True, stdout=subprocess.PIPE, text=True, timeout=60)
    found = {}
    for line in listed.stdout.splitlines():
        words = line.split()
        if len(words) >= 3 and words[-2] in 'tT':
            start = int(words[0], 16)
            found[start] = max(found.get(start, start), start + (int(words[1], 16) if len(words) == 4 else 0))
    return sorted(found.items())


def commands(program, count):
    addresses = functions(program)
    for address, end in addresses[::max(1, len(addresses) // count)]:
        for form in FORMS:
            yield form, address, None
        # What is behind a section is nothing to gdb while the program does not run.
        if address + 2 < end:
            yield '-', address, min(address + 20, end)
            yield 's', address, min(address + 33, end)
        yield 'i', address, None


def gdb_command(form, address, end):
    if form == 'i':
        return f'x/i {address:#x}'
    place = f'{address:#x}' + (f',{end:#x}' if end else '')
    return 'disassemble ' + ('' if form == '-' else f'/{form} ') + place


def gdb_answers(gdb, program, asked):
    command = [gdb, '-nx', '-nh', '-q', '--batch', '-ex', 'set width 0', '-ex', 'set debuginfod enabled off']
    for item in asked:
        command += ['-ex', gdb_command(*item), '-ex', 'echo <end>\\n']
    result = subprocess.run(command + [program], check=False, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                            stderr=subprocess.STDOUT, text=True, timeout=300,
                            env={**os.environ, 'LC_ALL': 'C.UTF-8'})
    return result.stdout.split('<end>\n')[:-1]


def our_answers(list_code, program, asked):
    lines = ''.join(f'{form} {address:x}' + (f' {end:x}' if end else '') + '\n' for form, address, end in asked)
    result = subprocess.run([list_code, program], check=True, input=lines, stdout=subprocess.PIPE, text=True,
                            timeout=300)
    return result.stdout.split('<end>\n')[:-1]


def forgive(theirs, ours):
    """Their answer with our lines where we say that an instruction is not known; and how many these were."""
    their_lines, our_lines, unknown = theirs.splitlines(True), ours.splitlines(True), 0
    if len(their_lines) != len(our_lines):
        return theirs, 0
    for index, (their, our) in enumerate(zip(their_lines, our_lines)):
        place = re.match(r'[ =>]*0x[0-9a-f]+ <[^>]*>:\t(?:[0-9a-f ]+\t)?(?=\.inst\t0x)', our)
        if place and their != our and their.startswith(place[0]):
            their_lines[index], unknown = our, unknown + 1
    return ''.join(their_lines), unknown


def difference(theirs, ours):
    for their, our in zip(theirs.splitlines() + ['(end)'], ours.splitlines() + ['(end)']):
        if their != our:
            return their, our
    return '(end)', '(end)'


def main():
    parser = argparse.ArgumentParser(description=__doc__.split('\n\n')[0])
    parser.add_argument('--gdb', default='gdb')
    parser.add_argument('--least', type=float, default=100, help='percent of the listings that must be the same')
    parser.add_argument('list_code')
    parser.add_argument('count', type=int)
    parser.add_argument('programs', nargs='+')
    options = parser.parse_args()
    if shutil.which(options.gdb) is None or shutil.which('nm') is None:
        print('no gdb or no nm: install them (make setup)')
        return 77
    passed = failed = 0
    for program in options.programs:
        asked = list(commands(program, options.count))
        # What gdb warns of while it reads a program is not about its code.
        theirs = [re.sub(r'^warning: .*\n', '', answer, flags=re.MULTILINE) for answer in gdb_answers(options.gdb, program, asked)]
        ours = our_answers(options.list_code, program, asked)
        assert len(theirs) == len(ours) == len(asked), f'{program}: {len(theirs)} and {len(ours)} of {len(asked)}'
        forgiven = [forgive(their, our) for their, our in zip(theirs, ours)]
        theirs, lines = [answer for answer, _ in forgiven], sum(answer.count('\n') for answer in ours)
        unknown = sum(number for _, number in forgiven)
        if unknown:
            print(f'  {unknown} of {lines} lines have an instruction that is not known here')
        different = [(item, *difference(their, our)) for item, their, our in zip(asked, theirs, ours) if their != our]
        share = 100 - 100 * len(different) / max(1, len(asked))
        print(f'{os.path.basename(program)}: {len(asked)} listings with {lines} lines, {share:.2f} % the same')
        for item, their, our in different[:int(os.environ.get('SHOW', '6'))]:
            print(f'  {gdb_command(*item)}\n    gdb:  {their!r}\n    ours: {our!r}')
        passed += len(asked) - len(different)
        failed += len(different) if share < options.least else 0
    print(f'{passed} passed, {failed} failed')
    return failed != 0


if __name__ == '__main__':
    sys.exit(main())
