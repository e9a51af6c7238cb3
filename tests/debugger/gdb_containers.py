#!/usr/bin/env python3
"""gdb, with libstdc++'s own printers, as the referee of how the values of the C++ library's types are shown.

    gdb_containers.py TRAPLINE SOURCE PROGRAM…    PROGRAM was made of SOURCE, tests/fixtures/debugger/containers.cc

Both stop each program in stop_here, and print what it has: every global variable of the source, and some expressions.
"""

import os
import pathlib
import re
import shutil
import subprocess
import sys

SETTINGS = ['set confirm off', 'set width 0', 'set height 0', 'set disable-randomization on', 'set print sevenbit-strings off']
MORE = ['given', 'more', '&numbers', 'one', 'one.numbers', 'array', 'strings[1]', 'all._M_impl._M_start[1]']
# Enough to see that they are the structs; print.c has a referee of its own.
RAW = ['short_string', 'numbers', 'words', 'map', 'list', 'deque', 'pair', 'tuple', 'optional', 'shared', 'string_reference']
# Behind one that has a letter gdb's /r has that letter too.
KINDS = ['', '/r ', '/x ', '/d ']
# gdb writes the names of types anew, "pair<int const, int>"; ours are as the compiler wrote them, "pair<const int, int>".
CONST = re.compile(r'\bconst (?=\w)| const\b')


def expressions(source):
    names = []
    for statement in re.sub(r'//[^\n]*', '', source.read_text().split('empty {\n};')[1].split('static void')[0]).split(';\n'):
        declaration = re.match(r'\s*(?:const )?std::[\w:]+(?:<.*?>+)?(?:::\w+)?[ *&]+(?=\w+(?:\W|$))', statement)
        if not declaration:
            continue
        rest = statement[declaration.end():]
        depth = 0
        text = re.sub(r'"(\\.|[^"])*"', '""', rest)
        plain = ''
        for character in text:
            depth += character in '({['
            plain += character if depth == 0 else ''
            depth -= character in ')}]'
        names += [re.match(r'\w+', part.strip()).group() for part in plain.split(',') if part.strip()]
    return names


def ask(command, program, lines, **environment):
    script = SETTINGS + ['break stop_here', 'run'] + lines
    run = subprocess.run([*command, program], input='\n'.join(script).encode() + b'\n', stdout=subprocess.PIPE,
                         stderr=subprocess.STDOUT, timeout=200, check=False,
                         env={**os.environ, 'LC_ALL': 'C.UTF-8', **environment})
    text = run.stdout.decode(errors='replace')
    answers = {}
    for number, answer in re.findall(r'^(?:\(gdb\) |\(trapline\) )*<<(\d+)\n(.*?)(?:\(gdb\) |\(trapline\) )*>>$', text, re.S | re.M):
        answer = re.sub(r'^(\((gdb|trapline)\) )+', '', answer).rstrip('\n')
        answers[int(number)] = re.sub(r'^\$\d+ = ', '', answer)
    return answers, text


def questions(names):
    asked = [('print ' + kind + name, 'off') for name in names for kind in KINDS[:1]]
    asked += [('print ' + kind + name, 'off') for kind in KINDS[1:] for name in names
              if kind != '/r ' or name in RAW]
    asked = [(line.replace('print /', 'print/'), pretty) for line, pretty in asked]
    return asked + [('print ' + name, 'on') for name in names] + [('info locals', 'off')]


def main():
    trapline, source, programs = sys.argv[1], pathlib.Path(sys.argv[2]), sys.argv[3:]
    if not shutil.which('gdb'):
        sys.exit('gdb is not there: make setup installs it.')
    asked = questions(expressions(source) + MORE)
    lines = []
    for number, (line, pretty) in enumerate(asked):
        lines += [f'set print pretty {pretty}', f'echo <<{number}\\n', line, 'echo >>\\n']
    passed = failed = 0
    for program in programs:
        theirs, text = ask(['gdb', '-nx', '-q', '-iex', 'set debuginfod enabled off'], program, lines)
        ours, our_text = ask([trapline, '-nx', '-q'], program, lines)
        for number, (line, pretty) in enumerate(asked):
            gdb, mine = theirs.get(number, 'nothing'), ours.get(number, 'nothing')
            if gdb == mine or CONST.sub('', gdb) == CONST.sub('', mine):
                passed += 1
                continue
            failed += 1
            print(f'{os.path.basename(program)}: {line}{", pretty" if pretty == "on" else ""}\n    gdb  {gdb}\n    ours {mine}')
        if 'SHOW' in os.environ:
            print(text[:3000], our_text[:3000])
    print(f'{passed} passed, {failed} failed')
    return 1 if failed or passed < 100 else 0


if __name__ == '__main__':
    sys.exit(main())
