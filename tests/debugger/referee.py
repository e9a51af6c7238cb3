#!/usr/bin/env python3
"""gdb as the referee of whole sessions: the same commands to gdb and to trapline, answer by answer.

    referee.py TRAPLINE PROGRAM… [--stops N] [--seed N] [--env NAME=VALUE] [--verbose] [--keep FOLDER]

Each program is run twice by the same script: a temporary breakpoint at every one of its functions, and at each stop
the backtrace, arguments, local variables, the line, the type of a local, a few steps, and now and then the end of the
function with what it returns. Agreement is printed for each kind of answer; what gdb shows and trapline calls optimised
out is counted apart. Disagreements are printed (the first ones of a kind, or all with --verbose), unless one of the
RULES says why ours is right.
"""

import argparse
import collections
import os
import pathlib
import random
import re
import shutil
import subprocess
import sys
import tempfile

DEADLINE = 300
MARK = '@@@'

SETTINGS = '''set prompt
set confirm off
set pagination off
set width 0
set height 0
set print frame-arguments all
set breakpoint pending off
set disable-randomization on
set startup-with-shell off
unset environment
'''

# Kinds of answers, as they are counted.
KINDS = {
    'bt': 'backtrace', 'info args': 'arguments', 'info locals': 'locals', 'step': 'steps', 'next': 'steps',
    'finish': 'finish', 'info line': 'lines', 'ptype/o': 'types', 'x/8i $pc': 'disassembly', 'stepi': 'steps',
    'nexti': 'steps', 'until': 'steps', 'continue': 'stops', 'up': 'frames', 'down': 'frames', 'run': 'stops',
    'info frame': 'frames', 'print': 'values', 'info symbol': 'symbols', 'break': 'breakpoints',
}

# Answers that differ for a reason: why ours is right, and what gdb's would be without its own.
def without_ada(theirs, _):
    """gdb takes C's names with two underscores for Ada's, and writes const_str__x as const_str.x."""
    return re.sub(r'<([a-z]\w*)\.(?=\w)', r'<\1__', theirs)


def without_absent(theirs, ours):
    """gdb lists variables of blocks that have no code at the address, as optimised out."""
    known = set(ours.splitlines())
    return '\n'.join(line for line in theirs.splitlines() if line in known or not line.endswith(' = <optimized out>'))


RULES = (without_ada, without_absent)


def kind_of(command):
    best = ''
    for name in KINDS:
        if command.startswith(name) and len(name) > len(best):
            best = name
    return KINDS.get(best, 'other')


def debug_file(program):
    """The separate file with a program's symbols, by its build id."""
    notes = subprocess.run(['readelf', '-n', program], capture_output=True, text=True, check=False).stdout
    found = re.search(r'Build ID: ([0-9a-f]{2})([0-9a-f]+)', notes)
    path = pathlib.Path(f'/usr/lib/debug/.build-id/{found[1]}/{found[2]}.debug') if found else None
    return str(path) if path and path.exists() else None


def functions_of(program):
    """Names of functions of the program itself that have debug information."""
    program = debug_file(program) or program
    run = subprocess.run(['nm', '--defined-only', '-C', program], capture_output=True, text=True, check=True)
    names = []
    for line in run.stdout.splitlines():
        words = line.split(None, 2)
        if len(words) == 3 and words[1] in 'tTW' and re.fullmatch(r'[A-Za-z][\w:]*', words[2].split('(')[0]):
            names.append(words[2].split('(')[0])
    left_out = {'deregister_tm_clones', 'register_tm_clones', 'frame_dummy', 'main'}
    return ['main'] + sorted(set(names) - left_out)


def make_script(program, arguments, stops, seed):
    """Commands; every one that is compared stands behind a mark."""
    chance = random.Random(seed)
    names = functions_of(program)
    if len(names) > stops:
        names = names[:1] + sorted(chance.sample(names[1:], stops - 1))
    commands = [f'tbreak {name}' for name in names]
    commands.append('run ' + ' '.join(arguments))
    for _ in range(stops):
        commands += ['bt', 'info args', 'info locals', 'info line', 'x/8i $pc', 'info symbol $pc']
        for _ in range(chance.randrange(4)):
            commands += [chance.choice(['step', 'next', 'step', 'next', 'until', 'stepi', 'nexti', 'next 3']), 'bt 3']
        commands += ['up', 'info locals', 'down']
        if chance.randrange(3) == 0:
            commands += ['finish', 'bt 2']
        commands.append('continue')
    return commands


def run_tool(tool, program, commands, folder, name, environment):
    """What a tool says behind each mark. The programs get no environment but that, so that their stacks begin alike."""
    script = pathlib.Path(folder, name + '.script')
    settings = SETTINGS + ''.join(f'set environment {key} {value}\n' for key, value in environment.items())
    script.write_text(settings + ''.join(f'echo {MARK}{i}\\n\n{command}\n' for i, command in enumerate(commands)) +
                      f'echo {MARK}end\\n\n')
    # Typed rather than read from a file: a command that fails would end the file.
    lines = script.read_text()
    output = pathlib.Path(folder, name + '.output')
    with output.open('wb') as stream:
        try:
            subprocess.run(tool + [program], input=lines.encode(), stdout=stream, stderr=subprocess.STDOUT,
                           timeout=DEADLINE, env=environment, check=False)
        except subprocess.TimeoutExpired:
            print(f'{name}: not done after {DEADLINE} s', flush=True)
    text = output.read_text(errors='replace')
    answers = {}
    for part in re.split(f'^(?:\\((?:gdb|trapline)\\) )*{MARK}', text, flags=re.MULTILINE)[1:]:
        number, _, answer = part.partition('\n')
        if number.isdigit():
            answers[int(number)] = answer
    return answers


def normalise(answer):
    """What may differ between two runs: numbers of processes, and what a program prints into the answers."""
    answer = re.sub(r'\((process|LWP|Thread 0x[0-9a-f]+ \(LWP) \d+\)?', r'(\1 N', answer)
    answer = re.sub(r'\[Inferior 1 \(process (N|\d+)\)?', '[Inferior 1 (process N)', answer)
    answer = re.sub(r'process \d+', 'process N', answer)
    answer = re.sub(r'^(\((gdb|trapline)\) )+', '', answer, flags=re.MULTILINE)
    # Said once by ours, besides what gdb says of a file that is not there.
    answer = re.sub(r'^\(Where is .*\n?', '', answer, flags=re.MULTILINE)
    answer = re.sub(r'^(\[Thread debugging using libthread_db|Using host libthread_db library).*\n', '', answer,
                    flags=re.MULTILINE)
    return '\n'.join(line.rstrip() for line in answer.strip().splitlines())


def left_out(theirs, ours):
    """Does ours differ in that it says "optimized out" where gdb shows something?"""
    pattern = re.escape(ours).replace(re.escape('<optimized out>'), '.*?')
    return '<optimized out>' in ours and re.fullmatch(pattern, theirs, re.DOTALL) is not None


def compare(program, arguments, options, totals, shown):
    commands = make_script(program, arguments, options.stops, options.seed)
    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(options.keep) if options.keep else pathlib.Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        gdb = [shutil.which('gdb'), '-nx', '-q', '-iex', 'set auto-load off', '-iex', 'set debuginfod enabled off']
        environment = dict(word.split('=', 1) for word in options.env)
        theirs = run_tool(gdb, program, commands, folder, 'gdb', environment)
        ours = run_tool([options.trapline, '-nx', '-q'], program, commands, folder, 'trapline', environment)
    apart = 0
    for i, command in enumerate(commands):
        if theirs.get(i) is None:
            break
        left, right = normalise(theirs.get(i, '?')), normalise(ours.get(i, 'nothing: it ended before'))
        kind = kind_of(command)
        if left == right or any(rule(left, right) == right for rule in RULES):
            totals[kind]['agree'] += 1
            apart = 0 if kind == 'stops' else apart
            if kind == 'stops' and 'exited' in left:
                break
            continue
        if left_out(left, right):
            totals[kind]['left out'] += 1
            continue
        totals[kind]['differ'] += 1
        if options.verbose or shown[kind] < options.show:
            shown[kind] += 1
            print(f'--- {pathlib.Path(program).name} [{i}] {command}\n  gdb:\n{indent(left)}\n  trapline:\n{indent(right)}')
        if kind == 'stops' and 'exited' in left:
            break
        if kind == 'stops':
            apart += 1
            if apart > 2:
                print(f'{program}: the two stand at different places from here on')
                break


def indent(text):
    return '\n'.join('    ' + line for line in text.splitlines()[:12])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('trapline')
    parser.add_argument('programs', nargs='+', help='PROGRAM, or "PROGRAM ARGUMENT…" as one word')
    parser.add_argument('--stops', type=int, default=20)
    parser.add_argument('--seed', type=int, default=1)
    parser.add_argument('--show', type=int, default=3, help='disagreements of a kind to show')
    parser.add_argument('--least', type=float, default=99.5, help='percent that must agree')
    parser.add_argument('--env', action='append', default=[], metavar='NAME=VALUE', help='for the programs')
    parser.add_argument('--verbose', action='store_true')
    parser.add_argument('--keep', help='a folder for scripts and outputs')
    options = parser.parse_args()
    totals = collections.defaultdict(collections.Counter)
    shown = collections.Counter()
    for program in options.programs:
        words = program.split()
        compare(os.path.abspath(words[0]), words[1:], options, totals, shown)
    every = collections.Counter()
    print(f'{"kind":14}{"answers":>9}{"agree":>9}{"left out":>9}{"differ":>9}{"percent":>9}')
    for kind, counts in sorted(totals.items()):
        every += counts
        print_row(kind, counts)
    print_row('all', every)
    percent = 100 * every['agree'] / max(1, sum(every.values()))
    print(f'{every["agree"]} passed, {every["differ"] if percent < options.least else 0} failed')
    return 0 if percent >= options.least else 1


def print_row(kind, counts):
    answers = sum(counts.values())
    print(f'{kind:14}{answers:9}{counts["agree"]:9}{counts["left out"]:9}{counts["differ"]:9}'
          f'{100 * counts["agree"] / max(1, answers):9.2f}')


if __name__ == '__main__':
    sys.exit(main())
