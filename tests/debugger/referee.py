#!/usr/bin/env python3
"""gdb as the referee of whole sessions: the same commands to gdb and to trapline in lockstep, answer by answer.

    referee.py TRAPLINE PROGRAM… [--stops N] [--seed N] [--env NAME=VALUE] [--verbose] [--log FILE]
    referee.py TRAPLINE --set FOLDER [--only NAME…]     programs of all kinds, which it builds in FOLDER

Each program is run by both, with a temporary breakpoint at many of its functions and lines. At each stop both are asked
for the backtrace, arguments, local variables, the line, types with offsets, values in several formats, disassembly; both
step a few times; now and then to the end of the function, with what it returns. Answers are compared text for text.
A difference is counted as "excused" if a rule of referee_rules.py says why ours is right, as "left out" if gdb shows a
value where trapline says "optimized out", as "more" the other way round, as "refused" if both say that it cannot be done,
in other words. Where the two do not stand at the same place after a command, both begin anew.
"""

import argparse
import collections
import difflib
import os
import pathlib
import random
import re
import subprocess
import sys

from referee_rules import REASONS, Witness, judge
import referee_programs
from sessions import Ended, Hung, Pair

KINDS = {
    'bt': 'backtrace', 'info args': 'arguments', 'info locals': 'locals', 'step': 'steps', 'next': 'steps',
    'finish': 'finish', 'info line': 'lines', 'ptype': 'types', 'whatis': 'types', 'x/8i': 'disassembly',
    'disassemble': 'disassembly', 'stepi': 'steps', 'nexti': 'steps', 'until': 'steps', 'advance': 'steps',
    'continue': 'stops', 'up': 'frames', 'down': 'frames', 'frame': 'frames', 'run': 'stops', 'info frame': 'frames',
    'print': 'values', 'output': 'values', 'x/': 'values', 'info symbol': 'symbols', 'tbreak': 'breakpoints',
    'info threads': 'threads', 'thread': 'threads', 'list': 'lines', 'info source': 'lines', 'return': 'finish',
}
OUTCOMES = ('same', 'excused', 'refused', 'left out', 'more', 'differ')
MOVES = ('step', 'next', 'finish', 'until', 'advance', 'continue', 'run', 'stepi', 'nexti', 'return', 'up', 'down', 'frame')
# Not asked for: the compiler's own, which every program has.
NOT_ASKED = {'deregister_tm_clones', 'register_tm_clones', 'frame_dummy', '__do_global_dtors_aux', 'main', '_start',
             '_init', '_fini'}


def kind_of(command):
    best = max((name for name in KINDS if command.startswith(name)), key=len, default='')
    return KINDS.get(best, 'other')


class Tally:
    """What came of all questions, by kind; and which were shown."""

    def __init__(self, options):
        self.options = options
        self.counts = collections.defaultdict(collections.Counter)
        self.rules = collections.Counter()
        self.shown = collections.Counter()
        self.stops = 0

    def add(self, program, command, theirs, ours, witness):
        outcome, rules = judge(command, theirs, ours, witness)
        kind = kind_of(command)
        self.counts[kind][outcome] += 1
        self.rules.update(rules)
        wanted = self.options.show_outcomes
        if outcome in wanted and (self.options.verbose or self.shown[kind, outcome] < self.options.show):
            self.shown[kind, outcome] += 1
            print(f'--- {outcome}: {pathlib.Path(program).name} (stop {self.stops}): {command}\n' +
                  difference(theirs, ours), flush=True)
        return outcome

    def whole(self):
        return sum(self.counts.values(), collections.Counter())

    def report(self):
        every = self.whole()
        print(f'{self.stops} stops')
        print(f'{"kind":14}{"answers":>9}' + ''.join(f'{name:>9}' for name in OUTCOMES) + f'{"percent":>9}')
        for kind, counts in sorted(self.counts.items()):
            print_row(kind, counts)
        print_row('all', every)
        for name, count in self.rules.most_common():
            print(f'  excused {count:5}: {name}: {REASONS[name]}')
        return agreement(every)


def agreement(counts):
    """Of what gdb tells, the percentage in which nothing differs. What trapline calls lost counts against it."""
    answers = sum(counts.values()) - counts['more']
    return 100 * (counts['same'] + counts['excused'] + counts['refused']) / max(1, answers)


def print_row(kind, counts, width=14):
    print(f'{kind:{width}}{sum(counts.values()):9}' + ''.join(f'{counts[name]:9}' for name in OUTCOMES) +
          f'{agreement(counts):9.2f}')


def difference(theirs, ours):
    """The lines that differ, and of long ones what is around the first character that does."""
    left, right = theirs.splitlines(), ours.splitlines()
    lines = []
    for tag, a, b, c, d in difflib.SequenceMatcher(None, left, right, autojunk=False).get_opcodes():
        if tag == 'equal':
            continue
        at = len(os.path.commonprefix([left[a] if a < b else '', right[c] if c < d else '']))
        for sign, part in (('gdb ', left[a:b]), ('ours', right[c:d])):
            for line in part[:12]:
                cut = line if len(line) < 240 else ('…' if at > 120 else '') + line[max(0, at - 120):at + 120] + '…'
                lines.append(f'  {sign} {cut}')
    return '\n'.join(lines[:40])


def debug_file(program):
    """The separate file with a program's symbols, by its build id."""
    notes = subprocess.run(['readelf', '-n', program], capture_output=True, text=True, check=False).stdout
    found = re.search(r'Build ID: ([0-9a-f]{2})([0-9a-f]+)', notes)
    path = pathlib.Path(f'/usr/lib/debug/.build-id/{found[1]}/{found[2]}.debug') if found else None
    return str(path) if path and path.exists() else None


def functions_of(program):
    """Names of functions of the program itself."""
    run = subprocess.run(['nm', '--defined-only', '-C', debug_file(program) or program], capture_output=True, text=True,
                         check=True)
    names = set()
    for line in run.stdout.splitlines():
        words = line.split(None, 2)
        if len(words) == 3 and words[1] in 'tTW' and re.fullmatch(r'[A-Za-z_][\w:]*', words[2].split('(')[0]):
            names.add(words[2].split('(')[0])
    return sorted(names - NOT_ASKED)


class Walk:
    """One program, from stop to stop, until as many were made as are wanted or no breakpoint is left that is hit."""

    def __init__(self, program, arguments, options, tally):
        self.program, self.arguments, self.options, self.tally = program, arguments, options, tally
        self.environment = dict(word.split('=', 1) for word in options.env)
        chance = random.Random(options.seed)
        names = functions_of(program)
        self.places = chance.sample(names, min(len(names), options.places or 4 * options.stops))
        self.stops = self.begun = 0
        self.frame_before = None
        self.pair = None

    def ask(self, command, deadline=60):
        answers = self.pair.ask(command, deadline)
        witness = Witness(self.pair.left, self.pair.right)
        witness.before = self.frame_before
        outcome = self.tally.add(self.program, command, *answers, witness)
        agreed = command == 'frame' and outcome in ('same', 'excused')
        self.frame_before = [answer.partition('\n')[0] for answer in answers] if agreed else None
        return answers

    def run(self, log=None):
        while self.stops < self.options.stops and self.begun < 3 + self.options.stops // 3:
            self.begun += 1
            self.pair = Pair(self.options.trapline, self.program, self.arguments, self.environment, log)
            try:
                if not self.begin() or not self.follow():
                    break
            except (Ended, Hung) as failure:
                # Only gdb's own end comes here, or ours at a question that is not compared.
                self.tally.add(self.program, 'run', '', f'*** {type(failure).__name__}: {failure}', None)
            finally:
                self.pair.close()

    def begin(self):
        """Breakpoints at every place that was not hit yet, and the run to the first of them."""
        if self.begun == 1:
            self.ask('tbreak main')
            for place in self.places:
                self.ask('tbreak ' + place)
        else:
            for place in self.places:
                self.pair.tell('tbreak ' + place)
        if self.stops == 0 and self.begun > 1:
            self.pair.tell('tbreak main')
        theirs, _ = self.ask('run')
        return self.arrived(theirs)

    def arrived(self, answer):
        """Did the program stop, at a place of ours or another? Places that were hit are not asked for again."""
        if 'exited' in answer or 'not being run' in answer:
            return False
        found = re.search(r'reakpoint N, (?:0x[0-9a-f]+ in )?([\w:~]+)', answer)
        if found and found[1] in self.places:
            self.places.remove(found[1])
        found = re.search(r'\) at (?:.*/)?([^/\s]+:\d+)$', answer, re.MULTILINE)
        if found and found[1] in self.places:
            self.places.remove(found[1])
        return True

    def follow(self):
        """From stop to stop; False at the end of the program, True where the two part."""
        while self.stops < self.options.stops:
            self.stops += 1
            self.tally.stops += 1
            if not self.pair.together():
                return True
            whole, together = self.look(random.Random(self.options.seed * 10007 + self.stops))
            if not whole:
                return False
            if not together:
                return True
            theirs, ours = self.ask('continue')
            if not self.arrived(theirs):
                return ours != theirs and self.stops < self.options.stops
        return False

    def look(self, chance):
        """Everything that is asked at a stop: whether the program is still there, and whether both stand together."""
        for command in ('bt', 'info args', 'info locals', 'info line', 'x/8i $pc', 'info symbol $pc', 'info frame'):
            theirs, ours = self.ask(command)
            if command in ('info args', 'info locals'):
                self.variables(theirs, ours, chance)
        if chance.randrange(4) == 0:
            self.ask('disassemble')
        self.more_places(chance)
        commands = []
        for _ in range(chance.randrange(4)):
            commands += [chance.choice(['step', 'next', 'step', 'next', 'until', 'stepi', 'nexti', 'next 3']), 'bt 3',
                         'info locals']
        commands += ['up', 'info locals', 'info args', 'info frame', 'down']
        if chance.randrange(3) == 0:
            # What finish says first is of a frame that is gone by then: it is judged while the frame is there.
            commands += ['frame', 'finish', 'bt 2']
        for command in commands:
            theirs, _ = self.ask(command)
            if re.search(r'\[Inferior 1 .*exited', theirs):
                return False, True
            if command.startswith(MOVES) and not self.pair.together():
                return True, False
        return True, True

    def variables(self, theirs, ours, chance):
        """A few of the variables that both answers name, their types and what they hold in several ways."""
        left, right = (re.findall(r'^([A-Za-z_]\w*) = ', listed, re.MULTILINE) for listed in (theirs, ours))
        names = [name for name in dict.fromkeys(left) if name in right]
        for name in chance.sample(names, min(len(names), 2)):
            for form in ('ptype/o {}', 'whatis {}', *chance.sample(
                    ['print {}', 'print *{}', 'print/x {}', 'print &{}', 'print/c {}', 'print sizeof({})', 'whatis *{}',
                     'ptype/o *{}', 'print/d {}', 'x/4xb &{}', 'print {}[0]', 'print/t {}', 'output {}', 'print -{}',
                     'print/z {}', 'whatis &{}', 'print *{}@2', 'print/s {}', 'print/a {}'], 3)):
                self.ask(form.format(name))

    def more_places(self, chance):
        """A breakpoint at a line near this one, now and then: one that may have no code, and may not be hit."""
        if chance.randrange(3) or self.stops % 2:
            return
        theirs, _ = self.ask('info line')
        found = re.search(r'Line (\d+) of "(?:.*/)?([^/"]+)"', theirs)
        if found:
            place = f'{found[2]}:{int(found[1]) + chance.randrange(12)}'
            self.ask('tbreak ' + place)


def options_of(words):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('trapline')
    parser.add_argument('programs', nargs='*', help='PROGRAM, or "PROGRAM ARGUMENT…" as one word')
    parser.add_argument('--stops', type=int, default=20, help='of each program')
    parser.add_argument('--places', type=int, default=0, help='breakpoints set at first; 4 for each stop')
    parser.add_argument('--seed', type=int, default=1)
    parser.add_argument('--show', type=int, default=3, help='differences of a kind to show')
    parser.add_argument('--show-outcomes', type=lambda text: text.split(','), default=['differ', 'left out'],
                        help='which outcomes to show, with commas: ' + ', '.join(OUTCOMES[1:]))
    parser.add_argument('--least', type=float, default=99.5, help='percent that must agree')
    parser.add_argument('--env', action='append', default=[], metavar='NAME=VALUE', help='for the programs')
    parser.add_argument('--set', metavar='FOLDER', help='go through the programs of referee_programs.py, built there')
    parser.add_argument('--only', nargs='*', help='of the set, these')
    parser.add_argument('--verbose', action='store_true', help='show every difference')
    parser.add_argument('--log', help='a file for all commands and answers')
    return parser.parse_args(words)


def main():
    options = options_of(sys.argv[1:])
    tally = Tally(options)
    log = open(options.log, 'w', encoding='utf-8') if options.log else None
    built = referee_programs.build(options.set, options.only) if options.set else []
    for program in options.programs + built:
        words, before = program.split(), tally.whole()
        Walk(os.path.abspath(words[0]), words[1:], options, tally).run(log)
        print_row(pathlib.Path(words[0]).name[:30], tally.whole() - before, 30)
    percent = tally.report()
    failed = sum(counts['differ'] for counts in tally.counts.values())
    agreed = sum(counts['same'] + counts['excused'] + counts['refused'] for counts in tally.counts.values())
    print(f'{agreed} passed, {failed if percent < options.least else 0} failed')
    return 0 if percent >= options.least else 1


if __name__ == '__main__':
    sys.exit(main())
