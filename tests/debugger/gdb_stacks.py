#!/usr/bin/env python3
"""gdb as the referee of stacks: a program is stopped at its instructions, and all frames compared.

    gdb_stacks.py WALK_STACKS STOPS PROGRAM…      WALK_STACKS is the test program tests/debugger/walk_stacks

gdb and ours run the program each for itself, without environment and at the same addresses, to the same places. Of each
frame function, file, line, kind (inlined, jumped to, signal) and whether it stands in the middle of a line are compared,
and the registers that calls preserve, where ours are known; and what variables are worth in the innermost frames. DIFFERENCES has what differs for a reason.
"""

import collections
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

INSIDE = pathlib.Path(__file__).resolve().parent / 'inside_gdb_stacks.py'

# By kind of frame and register.
DIFFERENCES = {
    ('T', 'rsp'): 'a function that jumped did so with the return address on top of the stack; gdb shows it popped',
}


def run(command, **environment):
    return subprocess.run(command, check=False, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, timeout=200, env={**os.environ, **environment}).stdout


def read(text):
    """{address: (beginning, [(frame, registers, {variable: results})], end)}"""
    stops = {}
    for line in text.splitlines():
        word, _, rest = line.partition(' ')
        if word == 'stop':
            address, beginning = rest.split()
            stops[address] = frames = [beginning, [], None]
        elif word in ('N', 'I', 'T', 'S'):
            frames[1].append([line, {}, collections.defaultdict(list)])
        elif word == '=' and stops:
            name, _, result = rest.partition(' ')
            frames[1][-1][2][name].append(result)
        elif word == 'registers':
            frames[1][-1][1] = dict(pair.split('=') for pair in rest.split())
        elif word == 'end':
            frames[2] = rest
    return stops


def split(frame):
    """The function's name, and all the rest."""
    match = re.fullmatch(r'(. \S+) (.*)(\|.*\|\d+\|\d)', frame)
    return match[2], (match[1], match[3])


def gone(result):
    return result == 'optimised' or result.startswith('lost')


def verdict(mine, theirs):
    """What one result of ours is counted as; only `values` can be wrong."""
    if mine in theirs:
        return 'values'
    if gone(mine):
        return 'values' if any(gone(result) for result in theirs) else 'values that only gdb shows'
    if all(gone(result) for result in theirs):
        return 'values that only we show'
    if mine == 'implicit' or mine == 'elsewhere' or 'elsewhere' in theirs:
        return 'values without address'
    return 'values'


class Referee:
    def __init__(self, name):
        self.name = name
        self.counts = collections.Counter()
        self.shown = collections.Counter()

    def judge(self, kind, same, text):
        self.counts[kind, same] += 1
        self.shown[kind] += not same
        if not same and self.shown[kind] <= 4:
            print(f'{self.name}: {kind}: {text}')

    def compare(self, address, ours, gdb):
        self.judge('beginning', ours[0] == gdb[0], f'at {address}: gdb {gdb[0]}, ours {ours[0]}')
        # gdb gives up where a function that was called was inlined elsewhere; what it shows it must show with us, too.
        jumps = [frame for frame in ours[1] if frame[0][0] == 'T']
        if len(ours[1]) > len(gdb[1]) and len(ours[1]) - len(jumps) == len(gdb[1]) and \
                all(frame[0][0] != 'T' for frame in gdb[1]):
            self.counts['jumps that gdb cannot follow', True] += len(jumps)
            ours[1] = [frame for frame in ours[1] if frame[0][0] != 'T']
        if len(ours[1]) != len(gdb[1]) or [a[0][0] for a in ours[1]] != [a[0][0] for a in gdb[1]]:
            self.judge('frames', False, f'at {address}:' + ''.join(
                f'\n  {who}' + ''.join('\n    ' + frame for frame, *_ in frames[1])
                for who, frames in (('gdb', gdb), ('ours', ours))))
            return
        for level, ((mine, my, variables), (theirs, their, others)) in enumerate(zip(ours[1], gdb[1])):
            text = f'at {address}, frame {level}:\n    gdb  {theirs}\n    ours {mine}'
            (my_name, my_place), (their_name, their_place) = split(mine), split(theirs)
            self.judge('lines', my_place == their_place, text)
            if their_name.replace('long int', 'long').startswith(my_name + '('):
                # gdb cannot take the parameters off all names, and then leaves their spelling alone, too.
                self.counts['names with parameters on for gdb only', True] += 1
            else:
                self.judge('names', my_name == their_name, text)
            self.compare_variables(f'at {address}, frame {level} ({their_name})', variables, others)
            for name, value in my.items():
                if value == '?' or name not in their:
                    self.counts['register not known', True] += 1
                elif (theirs[0], name) in DIFFERENCES:
                    self.counts['registers, differing for a reason', True] += 1
                else:
                    self.judge('registers', value == their[name],
                               f'at {address}, frame {level}: {name}: gdb {their[name]}, ours {value}')

    def compare_variables(self, where, mine, theirs):
        for name, results in mine.items():
            for result in results:
                kind = verdict(result, theirs.get(name, ['not there']))
                self.judge(kind, kind != 'values' or result in theirs.get(name, []) or gone(result),
                           f'{where}: {name}: gdb {theirs.get(name)}, ours {result}')
        for name in theirs.keys() - mine.keys():
            self.judge('values', all(gone(result) for result in theirs[name]),
                       f'{where}: {name}: gdb {theirs[name]}, not ours')

    def failed(self):
        return sum(count for (_, same), count in self.counts.items() if not same)


def check(tool, stops, program):
    referee = Referee(os.path.basename(program))
    with tempfile.TemporaryDirectory() as folder:
        places = os.path.join(folder, 'places')
        gdb = run(['gdb', '-nx', '-nh', '-q', '--batch', '-iex', 'set debuginfod enabled off', '-x', str(INSIDE),
                   program], STOPS=stops, PLACES=places, LC_ALL='C.UTF-8')
        theirs, mine = read(gdb), run([tool, program, places])
    ours = read(mine)
    if not theirs or theirs.keys() != ours.keys():
        print(f'{referee.name}: gdb made {len(theirs)} stops, ours {len(ours)}\n{gdb[-1500:]}\n{mine[-1500:]}')
        return 0, 1
    for address, frames in theirs.items():
        referee.compare(address, ours[address], frames)
    kinds = sorted({kind for kind, _ in referee.counts})
    print(f'{referee.name}: {len(theirs)} stops: ' + ', '.join(
        f'{kind} {referee.counts[kind, True]} of {referee.counts[kind, True] + referee.counts[kind, False]}'
        for kind in kinds))
    return sum(referee.counts.values()) - referee.failed(), referee.failed()


def main():
    tool, stops, *programs = sys.argv[1:]
    if shutil.which('gdb') is None:
        print('no gdb: install it (make setup)')
        return 77
    passed = failed = 0
    for program in programs:
        good, bad = check(os.path.abspath(tool), stops, os.path.abspath(program))
        passed, failed = passed + good, failed + bad
    print(f'{passed} passed, {failed} failed')
    return failed != 0 or passed == 0


if __name__ == '__main__':
    sys.exit(main())
