#!/usr/bin/env python3
"""gdb as the referee of names and variables: a program is stopped at its instructions, and what is there compared.

    gdb_names.py LOOK_AROUND STOPS EXPRESSIONS PROGRAM…    LOOK_AROUND is the test program tests/debugger/look_around

gdb and ours run the program each for itself, without environment and at the same addresses, to the same places. Of the
innermost frames the arguments in the frame's line, `info args`, `info locals` and the value of each of EXPRESSIONS are
compared, text by text; of functions called returns_… also what `finish` says that they return. What gdb shows and is
optimised out for us is counted apart.
"""

import collections
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

INSIDE = pathlib.Path(__file__).resolve().parent / 'inside_gdb_names.py'
SHOWN_MAX = int(os.environ.get('SHOWN', '6'))
GONE = '<optimized out>'

# Functions that are called through a pointer which is not known any more behind the call: what they were called with
# cannot be told for sure. gdb takes the pointer's register as it is now.
CALLED_SOMEHOW = {'blocks', 'twice'}
# Expressions, and in which functions they differ, and why.
TABLE = 'while an object is made or destroyed gdb looks for its virtual base by a table of another class'
LAMBDA = 'a lambda sees of the function around it only what it captured'
DIFFERENCES = {
    'current': ('', 'gdb does not look into inline namespaces, and finds a variable of the C library'),
    'shapes::current': ('', 'the same'),
    'made': ('', 'gdb wants a base, which was not made yet, for a static member of it'), 'sides': ('', 'the same'),
    'tag': ('shapes::', TABLE), 'this->tag': ('shapes::', TABLE), '*this': ('shapes::', TABLE),
    'object': ('operator()', LAMBDA), 'object.tag': ('operator()', LAMBDA), 'total': ('operator()', LAMBDA),
    'member': ('operator()', LAMBDA),
    '$pc': ('', 'ours says whose lambda it is, and that a function is a clone'), '$rip': ('', 'the same'),
}
# What functions return, by their source, where gdb says something else.
RETURNED_ELSEWHERE = {'returns_vector': '{1, 2, 0, 4}', 'returns_member': '&ints::b'}
MAKING = re.compile(r'shapes::(left::~?left|right::~?right)$')
# An array whose length was optimised out; gdb shows one element.
LENGTH_GONE = '<error: The size of type "char [variable length]" is not known here.>'


def run(command, **environment):
    return subprocess.run(command, check=False, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, errors='replace', timeout=280,
                          env={**os.environ, **environment}).stdout


def read(text):
    """{(address, level): (name, line, [args], [locals], {expression: value})}"""
    frames, address, at = {}, None, None
    for line in text.splitlines():
        word, _, rest = line.partition(' ')
        if word == 'stop':
            address = rest
        elif word == 'frame':
            level, _, name = rest.partition(' ')
            at = frames[address, level] = [name, '', [], [], {}]
        elif word == 'line':
            at[1] = rest
        elif word == 'arg':
            at[2].append(rest)
        elif word == 'local':
            # gdb takes the enumerators of a block for variables of it.
            name, _, value = rest.partition(' = ')
            if name != value:
                at[3].append(rest)
        elif line.startswith('Value returned is $'):
            frames[address, '0'][4]['what it returns'] = line.split(' = ', 1)[1]
        elif word == 'returned':
            frames[address, '0'][4]['what it returns'] = rest
        elif word == '=':
            expression, _, value = rest.partition(' = ')
            at[4][expression] = value
    return frames


def simple(text):
    """What both mean: sentences of errors are each one's own."""
    if text == 'error: value has been optimized out':
        return GONE
    # What gdb makes of a piece that is not there, of a struct of two; and its word for what has no value yet.
    text = text.replace('<synthetic pointer>', GONE).replace(' [uninitialized] ', '')
    # What was not written yet may end in half a character.
    text = re.sub(r'", <incomplete sequence ((?:\\\d{3})+)>', r'\1"', text)
    text = re.sub(r'<error[ :][^>]*>', 'error', text)
    return 'error' if text.startswith('error: ') else text


class Referee:
    def __init__(self, name):
        self.name = name
        self.counts = collections.Counter()
        self.shown = collections.Counter()

    def judge(self, kind, place, ours, gdb, caller):
        if simple(ours) == simple(gdb):
            self.counts[kind, 'same'] += 1
        elif kind == 'registers of callers' and (ours == GONE or ours.startswith('error: ')):
            # gdb shows what the functions called since have left in it.
            self.counts[kind + ', not known', 'same'] += 1
        elif self.only_gone(ours, gdb):
            # gdb lists what was inlined elsewhere, in blocks that are not here.
            self.counts[kind + ', of other blocks', 'same'] += 1
        elif LENGTH_GONE in ours:
            self.counts[kind + ', of unknown length', 'same'] += 1
        elif (GONE in ours and gdb.startswith('error: ')) or (GONE in gdb and ours.startswith('error: ')):
            self.counts[kind + ', of what is gone', 'same'] += 1
        elif self.more_gone(ours, gdb) and (caller or any(name in place for name in CALLED_SOMEHOW)):
            # gdb shows what the functions called since have left in the register.
            self.counts[kind + ', not known for us', 'same'] += 1
        elif GONE in ours and GONE not in gdb:
            self.complain(kind + ', gone for us', place, ours, gdb)
        elif GONE in gdb and GONE not in ours:
            self.complain(kind + ', gone for gdb', place, ours, gdb)
        else:
            self.complain(kind, place, ours, gdb)

    @staticmethod
    def only_gone(ours, gdb):
        """The same but for variables that gdb lists besides, and does not know."""
        if gdb == GONE and ours.startswith('error: No symbol'):
            return True
        missing = collections.Counter(gdb.split(' | ')) - collections.Counter(ours.split(' | '))
        return not collections.Counter(ours.split(' | ')) - collections.Counter(gdb.split(' | ')) and \
            all(text.endswith(' = ' + GONE) for text in missing)

    @staticmethod
    def more_gone(ours, gdb):
        """The same where ours has a value at all."""
        if ours == 'error: value has been optimized out':
            return True
        mine, theirs = re.split(r' \| |, ', ours), re.split(r' \| |, ', gdb)
        mine = [text for text in mine if not text.split('=')[0].endswith('@entry')]
        theirs = [re.sub(r'=\w+@entry=', '=', text) for text in theirs]
        return len(mine) == len(theirs) and all(
            GONE in one or one == other or re.sub(r'=\w+@entry=', '=', one) == other for one, other in zip(mine, theirs))

    def complain(self, kind, place, ours, gdb):
        self.counts[kind, 'other'] += 1
        self.shown[kind] += 1
        if self.shown[kind] <= SHOWN_MAX:
            print(f'{self.name}: {kind}: {place}\n    gdb  {gdb}\n    ours {ours}')

    def compare(self, key, ours, gdb):
        place, caller = f'at {key[0]}, frame {key[1]} ({gdb[0]})', key[1] != '0'
        self.judge('line', place, ours[1], gdb[1], caller)
        self.judge('args', place, ' | '.join(ours[2]), ' | '.join(gdb[2]), caller)
        # In inner blocks gdb's order is that of a hash table.
        self.judge('locals', place, ' | '.join(sorted(ours[3])), ' | '.join(sorted(gdb[3])), caller)
        for expression, theirs in gdb[4].items():
            function, why = DIFFERENCES.get(expression, ('nowhere', ''))
            there = MAKING.match(gdb[0]) if why == TABLE else gdb[0].startswith(function)
            if expression in ('$pc', '$rip'):
                there = gdb[0] in ('operator()', 'change')
            if there and simple(theirs) != simple(ours[4].get(expression, '')):
                self.counts['differing for a reason', 'same'] += 1
                continue
            if expression == 'what it returns':
                # gdb takes the upper half of a vector, and a pointer to a member, from another register.
                if gdb[0].split('(')[0] in RETURNED_ELSEWHERE and ours[4].get(expression) == RETURNED_ELSEWHERE[gdb[0]]:
                    self.counts['differing for a reason', 'same'] += 1
                    continue
                self.judge('returned', place, ours[4].get(expression, '(nothing)'), theirs, False)
                continue
            kind = ('registers of callers' if caller else 'registers') if expression[0] == '$' else 'expressions'
            self.judge(kind, f'{place}: {expression}', ours[4].get(expression, '(nothing)'), theirs,
                       caller)


def check(tool, stops, expressions, program):
    referee = Referee(os.path.basename(program))
    with tempfile.TemporaryDirectory() as folder:
        places = os.path.join(folder, 'places')
        gdb = run(['gdb', '-nx', '-nh', '-q', '--batch', '-iex', 'set debuginfod enabled off', '-x', str(INSIDE),
                   program], STOPS=stops, PLACES=places, EXPRESSIONS=expressions, LC_ALL='C.UTF-8')
        mine = run([tool, program, places, expressions])
    theirs, ours = read(gdb), read(mine)
    compiled = re.search(r'^compiled (\d+)$', mine, re.MULTILINE)
    if not theirs or theirs.keys() - ours.keys():
        print(f'{referee.name}: gdb looked at {len(theirs)} frames, ours at {len(ours)}\n{gdb[-1500:]}\n{mine[-1500:]}')
        return 0, 1
    for key, frame in theirs.items():
        referee.compare(key, ours[key], frame)
    print(f'{referee.name}: {len(theirs)} frames, {compiled[1] if compiled else 0} values as bytecode: ' + ', '.join(
        f'{kind} {verdict} {count}' for (kind, verdict), count in sorted(referee.counts.items())))
    good = sum(count for (_, verdict), count in referee.counts.items() if verdict == 'same')
    return good, sum(referee.counts.values()) - good


def main():
    tool, stops, expressions, *programs = sys.argv[1:]
    if shutil.which('gdb') is None:
        print('no gdb: install it (make setup)')
        return 77
    passed = failed = 0
    for program in programs:
        good, bad = check(os.path.abspath(tool), stops, os.path.abspath(expressions), os.path.abspath(program))
        passed, failed = passed + good, failed + bad
    print(f'{passed} passed, {failed} failed')
    return failed != 0 or passed == 0


if __name__ == '__main__':
    sys.exit(main())
