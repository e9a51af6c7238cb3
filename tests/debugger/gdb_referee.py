#!/usr/bin/env python3
"""gdb as the referee of what expressions are worth and how values are shown.

    gdb_referee.py PRINT_VALUES PROGRAM…

PRINT_VALUES is the test program tests/debugger/print_values; the expressions stand in expressions.txt. gdb and it are
asked the same of the same program, which does not run. What differs on purpose is stated in DIFFERENCES.
"""

import itertools
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

EXPRESSIONS = pathlib.Path(__file__).resolve().parent / 'expressions.txt'
GDB_SCRIPT = '''
import gdb
for line in open(NAMES):
    line = line.rstrip('\\n')
    try:
        print(gdb.execute('print' + (line if line[0] == '/' else ' ' + line), to_string=True).rstrip('\\n').split(' = ', 1)[1])
    except gdb.error as problem:
        print('error: ' + str(problem))
    print('--')
'''

# Why ours is another answer.
DIFFERENCES = {
    '-none': 'the sign of a NaN changes, as the processor does it; gdb subtracts from zero',
    'huge + 1': 'gdb cannot reckon with 128 bits', 'huge * huge': 'the same', 'uhuge / 3': 'the same',
    '(double)huge': 'the same',
    'yes + yes': 'C promotes _Bool to int; gdb refuses',
    '/a add': 'a function has no number to be shown otherwise; gdb refuses, ours shows it as without a format',
}


def ask_gdb(program, expressions, pretty):
    with tempfile.TemporaryDirectory() as folder:
        names, script = pathlib.Path(folder, 'names'), pathlib.Path(folder, 'script.py')
        names.write_text(''.join(line + '\n' for line in expressions))
        script.write_text(f'NAMES = {str(names)!r}\n' + GDB_SCRIPT)
        run = subprocess.run(['gdb', '-nx', '-batch', '-iex', 'set auto-load off', '-iex', 'set debuginfod enabled off',
                              '-iex', 'set print pretty ' + ('on' if pretty else 'off'),
                              '-x', str(script), program], stdin=subprocess.DEVNULL, capture_output=True,
                             env={**os.environ, 'LC_ALL': 'C.UTF-8'}, timeout=120)
    return run.stdout.decode().split('\n--\n')[:-1]


def ask_ours(tool, program, expressions, *how):
    run = subprocess.run([tool, program, *how], input=''.join(line + '\n' for line in expressions).encode(),
                         capture_output=True, timeout=120, check=True)
    return run.stdout.decode(errors='replace').split('\n--\n')[:-1]


def agree(line, theirs, ours):
    """Sentences of errors are ours; that it is an error must be agreed."""
    return theirs == ours or (theirs.startswith('error: ') and ours.startswith('error: ')) or line in DIFFERENCES


def check_code(tool, program, expressions):
    """Compiled to bytecode, an expression comes to the same, or it is said that it cannot be compiled."""
    answers = ask_ours(tool, program, expressions, 'code')
    differing = [(line, answer) for line, answer in zip(expressions, answers) if answer.startswith('differs')]
    for line, answer in differing:
        print(f'{os.path.basename(program)}: as bytecode: {line}\n    {answer}')
    same = answers.count('same')
    if same < len(expressions) // 3:
        print(f'{os.path.basename(program)}: only {same} of {len(expressions)} expressions ran as bytecode')
        differing.append(None)
    return same, len(differing)


def main():
    tool, programs = sys.argv[1], sys.argv[2:]
    if not shutil.which('gdb'):
        sys.exit('gdb is not there: make setup installs it.')
    expressions = [line for line in EXPRESSIONS.read_text().splitlines() if line and not line.startswith('#')]
    passed = failed = 0
    for program, pretty in itertools.product(programs, (False, True)):
        theirs, ours = ask_gdb(program, expressions, pretty), ask_ours(tool, program, expressions, *(['pretty'] if pretty else []))
        if len(theirs) != len(expressions) or len(ours) != len(expressions):
            print(f'{program}: {len(expressions)} expressions, {len(theirs)} answers of gdb, {len(ours)} of ours')
            failed += 1
            continue
        for line, gdb, mine in zip(expressions, theirs, ours):
            if agree(line, gdb, mine):
                passed += 1
            else:
                failed += 1
                print(f'{os.path.basename(program)}: {line}\n    gdb  {gdb}\n    ours {mine}')
    plain = [line for line in expressions if not line.startswith('/')]
    for program in programs:
        same, differing = check_code(tool, program, plain)
        passed, failed = passed + same, failed + differing
    print(f'{passed} passed, {failed} failed')
    return 1 if failed or not passed else 0


if __name__ == '__main__':
    sys.exit(main())
