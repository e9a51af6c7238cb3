#!/usr/bin/env python3
"""Functions of a bare-metal program are called from the prompt, with every kind of argument and result; gdb-multiarch is
the referee where it follows the calling convention itself. calls.py TRAPLINE PROGRAM"""

import re
import shutil
import subprocess
import sys

DEADLINE = 60

# What is asked, and the answer. Third: why gdb 13 is not asked.
EXTENDS = 'it leaves the upper half of an unsigned int zero; the convention extends by bit 31'
SPLITS = 'it reads the half on the stack from the wrong place'
ARRAYS = 'it does not look into arrays for floating-point members'
CALLS = [
    ('negate(5)', '-5'), ('negate(-5)', '5'), ('all_ones(0)', '4294967295'), ('all_ones(4294967295)', '0'),
    ('extends(-1, 4294967295, -2, 200, 1)', '42949882749'), ('raw(0x80000001)', '-2147483647', EXTENDS),
    ('half(5.0)', '2.5'), ('third(10)', '3.33333325'), ('weigh(1, 2.5, 3, 4.5, 5.5)', '59826'),
    ('ten(1, 2, 3, 4, 5, 6, 7, 8, 9, -10)', '185'), ('nine(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11)', '506'),
    ('of_two(two)', '17.5'), ('of_mixed(1, mixed, 0.5)', '896'), ('of_three(three)', '-281'), ('of_sixteen(sixteen, 5)', '1125'),
    ('split(1, 2, 3, 4, 5, 6, 7, sixteen, 9)', '2433', SPLITS), ('of_big(1, big, 2)', '24322'), ('of_array(array)', '61.5', ARRAYS),
    ('of_either(either)', '77'), ('of_one(one)', '0.125'), ('make_two(1, 2)', '{a = 1, b = 2}'),
    ('make_mixed(-1, 2.5)', '{a = -1, b = 2.5}'), ('make_sixteen(12345678901, 120)', "{a = 12345678901, b = 120 'x'}"),
    ('make_big(7)', '{a = {7, 8, 9, 10}}'), ('make_array(1.5)', '{a = {1.5, 2.5}}', ARRAYS),
    ('make_floats(2.5)', '{a = 2.5, b = 3.5, c = 4.5}'), ('make_big(3).a[2]', '5'), ('turn(point)', '3 + 0i'),
    ('length(text)', '6'), ('sum(3, 1L, 2L, 3L)', '123'), ('sum(9, 1L, 2L, 3L, 4L, 5L, 6L, 7L, 8L, 9L)', '123456789'),
    ('sum_doubles(2, 1.5, 2.5)', '17.5'), ('factorial(10)', '3628800'), ('factorial(negate(-6)) + 1', '721'), ('counter', '1'),
]


def ask(command, calls):
    """The answers of a debugger that stands in main."""
    words = []
    for line in ['break main', 'continue', *(f'print {call[0]}' for call in calls), 'info registers pc', 'continue']:
        words += ['-ex', line]
    result = subprocess.run([*command[0], *words, *command[1]], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                            stderr=subprocess.STDOUT, text=True, timeout=DEADLINE, check=False)
    return dict(re.findall(r'^\$(\d+) = (.*)$', result.stdout, re.M)), result.stdout


def compare(name, command, calls):
    answers, shown = ask(command, calls)
    failed = [f'{name}: {call[0]}: {answers.get(str(number))}, not {call[1]}' for number, call in enumerate(calls, 1)
              if answers.get(str(number)) != call[1]]
    # Nothing of it is left: the program ends as if nobody had called anything but what counts.
    if not re.search(r'^pc .*<main\+\d+>', shown, re.M) or not re.search(r'exited (normally|with code 01)', shown):
        failed.append(f'{name}: the program does not go on:\n{shown}')
    print('\n'.join(failed) if failed else f'ok {name}: {len(calls)} calls')
    return len(failed)


def main():
    trapline, program = sys.argv[1:]
    failed = 0
    for options in ([], ['--interpreter']):
        failed += compare(' '.join(['prompt', *options]), ([trapline, '-nx', '-q', '--batch'], ['emu', *options, program]), CALLS)
    if shutil.which('gdb-multiarch'):
        serve = f'target remote | {trapline} --serve - --once emu {program}'
        failed += compare('gdb', (['gdb-multiarch', '-nx', '-q', '-batch', '-ex', serve], [program]),
                          [call for call in CALLS if len(call) == 2])
    return failed != 0


if __name__ == '__main__':
    sys.exit(main())
