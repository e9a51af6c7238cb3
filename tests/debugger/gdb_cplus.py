#!/usr/bin/env python3
"""gdb as the referee of C++ in expressions: both are asked the same of the same program, stop by stop.

    gdb_cplus.py TRAPLINE QUESTIONS PROGRAM…    QUESTIONS is cplus.txt, PROGRAM was made of tests/fixtures/debugger/cplus.cc

QUESTIONS is made of sections. `## FUNCTION` begins one: the program runs to that function, and each line after it is asked
there: a command, or an expression, which is printed. `~` in front of a line means that its answer is nobody's business.
`LINE => ANSWER` is what gdb cannot answer, or answers otherwise for the reason that the comment above it gives: then ours
must be ANSWER. Sections `## FUNCTION at O0` are asked of programs whose name ends so.
"""

import os
import pathlib
import re
import shutil
import subprocess
import sys

SETTINGS = ['set confirm off', 'set width 0', 'set height 0', 'set disable-randomization on', 'unset environment']
COMMANDS = {'ptype', 'whatis', 'info', 'set', 'up', 'down', 'frame', 'next', 'step', 'finish', 'until', 'advance', 'catch',
            'continue', 'delete', 'break', 'tbreak', 'ptype/o', 'backtrace', 'bt', 'list', 'output', 'x/s', 'call', 'tcatch'}
PROMPT = re.compile(r'^(?:\((?:gdb|trapline)\) ?)+', re.M)
# Addresses of the heap and of the stack are not compared where something else is.
NUMBER = re.compile(r'^\$\d+ = ')


def sections(path):
    found = []
    for line in path.read_text().splitlines():
        if line.startswith('## '):
            found.append((line[3:].partition(' at ')[0], line.partition(' at ')[2], []))
        elif line and not line.startswith('# '):
            text, arrow, answer = line.partition(' => ')
            found[-1][2].append((text, answer if arrow else None))
    return found


def command_of(line):
    word = line.lstrip('~').split(' ')[0]
    if word in COMMANDS or word.split('/')[0] in ('ptype', 'whatis', 'info'):
        return line.lstrip('~')
    return 'print' + (line if line[0] == '/' else ' ' + line).replace('print ~', 'print ')


def ask(command, program, asked, **environment):
    script, number = list(SETTINGS), 0
    for function, _, lines in asked:
        script += [f'tbreak {function}', 'continue' if number else 'run']
        for line, _ in lines:
            script += [f'echo <<{number}\\n', command_of(line), 'echo \\n>>\\n']
            number += 1
    run = subprocess.run([*command, program], input='\n'.join(script).encode() + b'\n', stdout=subprocess.PIPE,
                         stderr=subprocess.STDOUT, timeout=200, check=False,
                         env={**os.environ, 'LC_ALL': 'C.UTF-8', **environment})
    text = run.stdout.decode(errors='replace')
    answers = {}
    for at, answer in re.findall(r'^(?:\((?:gdb|trapline)\) )*<<(\d+)\n(.*?)\n?(?:\((?:gdb|trapline)\) )*\n?>>$', text, re.S | re.M):
        answers[int(at)] = re.sub(r'process \d+', 'process N', PROMPT.sub('', answer).strip('\n'))
    return answers, text


def value(answer):
    """An answer without the number that it got; sentences of errors are each one's own: that it is one must be agreed."""
    return NUMBER.sub('', answer) if NUMBER.match(answer) else answer if answer.startswith(('type = ', '/* ')) else 'error'


def agree(line, theirs, ours):
    if command_of(line).split('/')[0].split(' ')[0] in ('print', 'ptype', 'whatis'):
        return value(theirs) == value(ours)
    return theirs == ours


def main():
    trapline, questions, programs = sys.argv[1], pathlib.Path(sys.argv[2]), sys.argv[3:]
    if not shutil.which('gdb'):
        sys.exit('gdb is not there: make setup installs it.')
    passed = failed = 0
    for program in programs:
        asked = [section for section in sections(questions) if program.endswith(section[1])]
        theirs, text = ask(['gdb', '-nx', '-q', '-iex', 'set debuginfod enabled off'], program, asked)
        ours, our_text = ask([trapline, '-nx', '-q'], program, asked)
        number = 0
        for function, _, lines in asked:
            for line, answer in lines:
                gdb, mine = theirs.get(number, 'nothing'), ours.get(number, 'nothing')
                number += 1
                if line.startswith('~'):
                    continue
                if (NUMBER.sub('', mine) == answer if answer is not None else agree(line, gdb, mine)):
                    passed += 1
                    continue
                failed += 1
                print(f'{os.path.basename(program)}: {function}: {line}\n    gdb  {gdb}\n    ours {mine}')
                if answer is not None:
                    print(f'    due  {answer}')
        if 'SHOW' in os.environ:
            print(text[-int(os.environ['SHOW']):], our_text[-int(os.environ['SHOW']):])
    print(f'{passed} passed, {failed} failed')
    return 1 if failed or passed < 100 else 0


if __name__ == '__main__':
    sys.exit(main())
