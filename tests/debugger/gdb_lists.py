#!/usr/bin/env python3
"""gdb as the referee of lists: info functions and its like, memory commands, what is known of the process.

    gdb_lists.py TRAPLINE COMMANDS PROGRAM… [--verbose] [--keep FOLDER]

COMMANDS is a file with a command a line; each is given to gdb and to trapline, and the answers must be the same, but
for what RULES takes away. A line "= REASON" above a command says that the answers may differ, and why.
"""

import argparse
import os
import pathlib
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


def run_tool(tool, program, commands, folder, name):
    """What a tool says behind each mark. The programs get no environment, so that their stacks begin alike."""
    script = pathlib.Path(folder, name + '.script')
    script.write_text(SETTINGS + ''.join(f'echo {MARK}{i}\\n\n{command}\n' for i, command in enumerate(commands)) +
                      f'echo {MARK}end\\n\n')
    # Typed rather than read from a file: a command that fails would end the file.
    lines = script.read_text()
    output = pathlib.Path(folder, name + '.output')
    with output.open('wb') as stream:
        try:
            subprocess.run(tool + [program], input=lines.encode(), stdout=stream, stderr=subprocess.STDOUT,
                           timeout=DEADLINE, env={}, check=False)
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


def addresses_of_processes(text):
    """Numbers that no two runs have in common."""
    # gdb takes C's "calls.0" for Ada's and shows it as calls, and clang's "f.calls" for D's or Ada's: f[calls].
    text = re.sub(r'^(0x[0-9a-f]{16}  \w+)\[(\w+)\]$', r'\1.\2', text, flags=re.M)
    text = re.sub(r'^(0x[0-9a-f]{16}  \w+)\.\d+$', r'\1', text, flags=re.M)
    text = text.replace('GDB does not access', 'Trapline does not access')
    # It lists the namespace without a name as a type of that name.
    text = re.sub(r'^\s*\(anonymous namespace\)\n', '', text, flags=re.M)
    text = re.sub(r'/proc/\d+', '/proc/N', text)
    return re.sub(r'^(Thread 0x[0-9a-f]+ \(LWP) \d+', r'\1 N', text, flags=re.M)


def read_commands(path):
    """Pairs of a command and the reason why the answers may differ, or None."""
    commands, reason = [], None
    for line in pathlib.Path(path).read_text().splitlines():
        if line.startswith('= '):
            reason = line[2:]
        elif line and not line.startswith('#'):
            commands.append((line, reason))
            reason = None
    return commands


def compare(trapline, program, commands, options):
    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(options.keep or temporary)
        folder.mkdir(parents=True, exist_ok=True)
        gdb = [shutil.which('gdb'), '-nx', '-q', '-iex', 'set auto-load off', '-iex', 'set debuginfod enabled off']
        lines = [command.replace('FOLDER', str(folder)) for command, _ in commands]
        theirs = run_tool(gdb, program, lines, folder, 'gdb')
        ours = run_tool([trapline, '-nx', '-q'], program, lines, folder, 'trapline')
    agreed, differing = 0, 0
    for i, (command, reason) in enumerate(commands):
        left = addresses_of_processes(normalise(theirs.get(i, '?')))
        right = addresses_of_processes(normalise(ours.get(i, 'nothing: it ended before')))
        if left == right:
            agreed += 1
            continue
        if reason:
            continue
        differing += 1
        print(f'--- {pathlib.Path(program).name}: {command}')
        show_difference(left, right, options.verbose)
    return agreed, differing


def show_difference(left, right, whole):
    """The lines that one has and the other has not, or the places where the order differs."""
    ours, theirs = right.splitlines(), left.splitlines()
    missing = [line for line in theirs if line not in set(ours)]
    extra = [line for line in ours if line not in set(theirs)]
    if not missing and not extra:
        pairs = [(a, b) for a, b in zip(theirs, ours) if a != b][:4]
        missing, extra = [a for a, _ in pairs], [b for _, b in pairs]
    limit = 1000 if whole else 8
    print('\n'.join(['    gdb:      ' + line for line in missing[:limit]] +
                    ['    trapline: ' + line for line in extra[:limit]]), flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('trapline')
    parser.add_argument('commands')
    parser.add_argument('programs', nargs='+')
    parser.add_argument('--verbose', action='store_true')
    parser.add_argument('--keep', help='a folder for scripts and outputs')
    options = parser.parse_args()
    commands = read_commands(options.commands)
    passed = failed = 0
    for program in options.programs:
        agreed, differing = compare(options.trapline, os.path.abspath(program), commands, options)
        passed += agreed
        failed += differing
    print(f'{passed} passed, {failed} failed')
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main())
