#!/usr/bin/env python3
"""gdb as the referee of where the places are that a person names.

    gdb_places.py PLACES [--at FUNCTION] PROGRAM…

PLACES is the test program tests/debugger/places. Each program is asked, by gdb and by it, for all its functions, for the
lines of its sources, and for the other forms that a place may have; addresses, lines, files and functions are compared.
With --at the program runs with its libraries, and stands in FUNCTION.
Where the two differ on purpose, a rule says so (see RULES); how often each rule was needed is printed.
"""

import bisect
import functools
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

SOURCES = pathlib.Path(__file__).resolve().parent.parent / 'fixtures/symbols'
GDB_SCRIPT = r'''
import gdb, os, re
answers = open(ANSWERS, 'w')
def put(text):
    answers.write(text + '\n')
for setting in ('breakpoint pending off', 'confirm off', 'width 0', 'max-completions unlimited'):
    gdb.execute('set ' + setting)
if FUNCTION:
    gdb.execute('break ' + FUNCTION, to_string=True)
    gdb.execute('run >/dev/null', to_string=True)
    gdb.execute('delete', to_string=True)
for line in open(NAMES):
    line = line.rstrip('\n')
    try:
        if line.startswith('list '):
            shown = gdb.execute(line, to_string=True)
            lines = re.findall(r'^file: ".*", line number: (\d+)', shown, re.M)
            for number in lines or [int(re.match(r'(\d+)', shown)[1]) + 5]:
                put('0x0\t%s\t\t' % number)
            put('--')
            continue
        gdb.execute('break ' + line, to_string=True)
        shown = gdb.execute('info breakpoints', to_string=True)
        gdb.execute('delete', to_string=True)
        for address, function, path, number, symbol, label in re.findall(
                r'(0x[0-9a-f]+) (?:(?:in (.*) at )?([^<\n]*):(\d+)|<(.*?)(?:[+]\d+)?>|((?:-|\S+:\D).*))?$', shown, re.M):
            put('0x%x\t%s\t%s\t%s' % (int(address, 16), number or '0', os.path.basename(path), function or symbol or label))
    except gdb.error as problem:
        put('error: ' + str(problem))
    put('--')
answers.close()
'''


def answers(output):
    return [block.split('\n') if block else [] for block in re.sub('\n?--\n', '\0', output).split('\0')[:-1]]


def ask_gdb(program, places, function=None):
    with tempfile.TemporaryDirectory() as folder:
        names, script, written = pathlib.Path(folder, 'names'), pathlib.Path(folder, 'script.py'), pathlib.Path(folder, 'answers')
        names.write_text(''.join(line + '\n' for line in places))
        script.write_text(f'NAMES = {str(names)!r}\nFUNCTION = {function!r}\nANSWERS = {str(written)!r}\n' + GDB_SCRIPT)
        subprocess.run(['gdb', '-nx', '-batch', '-iex', 'set auto-load off', '-iex', 'set debuginfod enabled off',
                              '-x', str(script), program], stdin=subprocess.DEVNULL, capture_output=True,
                             env={**os.environ, 'LC_ALL': 'C.UTF-8'}, timeout=120)
        return answers(written.read_text())


def ask_ours(tool, program, places, function=None):
    run = subprocess.run([tool, os.path.abspath(program), *([function] if function else [])], input=''.join(line + '\n' for line in places).encode(), capture_output=True,
                         timeout=120, check=True)
    return answers(run.stdout.decode(errors='replace'))


# What else a person may type, for C and for C++.
PLACES = ['20', '-line 30', '-source other.c -line 15', '-source program.c -function push', '-function add -source other.c',
          '-qualified add', '-qualified -function main', 'program.c:add', 'other.c:add', 'shared.h:sum_of', 'other.c:push', 'nothing.c:3',
          'program.c:100000', 'program.c:nothing', 'nothing', 'nothing:3', "'program.c:44'", "'program.c':44", '"add"', 'counter',
          'initialised', 'add if count > 3', '12 if', 'symbols/program.c:44', 'program.c:0', '0', 'program.c:+44',
          'add(', 'puts', 'printf', 'malloc', 'strcpy', '_start', '_init', '_fini', '-function nothing', '-line x', '-li 44',
          '-source program.c', '-function', '$nothing', 'main:nothing', '::main', '::nothing::main', '-qualified ::main', 'program.c:', ':3',
          'program.c:3:4', 'a:b:c', 'add add']
PLACES_CXX = ['area', 'overloaded', 'overloaded(int)', 'overloaded (double)', 'shapes::overloaded(double)', 'overloaded(char)',
              '-qualified overloaded', '-qualified shapes::overloaded', '::overloaded', '::shapes::overloaded', 'box', 'box<int>::box',
              'box<int>::box(int)', 'shapes::box<double>::area', 'box<int>::area() const', 'box<int>::area()', 'box::area', 'box<char>::area',
              'times', 'times<3>', 'box<int>::times<3>', 'box<int>::times<3>() const', 'move', 'corner::move', 'box<int>::corner::move',
              'shape', 'shape::shape', '~shape', 'shape::~shape', 'operator delete', 'operator delete(void*)',
              'operator delete(void *, unsigned long)', 'call', 'call(shapes::shape const&, double*)', 'program.cc:call',
              'program.cc:overloaded(int)', 'main(int, char**)', '__cxa_pure_virtual', 'operator+', "'shapes::overloaded(int)'"]


# In tests/fixtures/debugger/named.c, where it stands in stop_here.
PLACES_RUNNING = ['memset', 'memcpy', 'puts', 'strlen', 'cos', 'lockf', 'thread', 'chosen', 'choose', 'exit', 'malloc', 'free',
                  'getenv', '_dl_debug_state', '_start', 'labelled', 'labelled:again', 'labelled:inside', 'labelled:nothing', 'here', 'again',
                  '-label here', '-function labelled -label again', 'named.c:labelled:again', 'named.c:labelled', 'named.c:55', '55', '+1', '-1',
                  '+', '+2', '-2', '', 'squared', 'named.c:squared', 'twice', 'ioputs.c:35', '*0x1', 'list labelled', 'list main', 'list 12',
                  'list named.c:30', 'list counter', 'list nothing', 'list stop_here', 'list thread', 'list lockf', 'list named.c:main', 'list squared']


def run(*command):
    return subprocess.run(command, capture_output=True, check=True).stdout.decode(errors='replace')


@functools.cache
def rows(program):
    """The line table: pairs of file and line by address."""
    found = {}
    for line in run('readelf', '--debug-dump=decodedline', program).splitlines():
        row = re.match(r'(\S+)\s+(\d+)\s+(0x[0-9a-f]+)\b', line)
        if row:
            found.setdefault(int(row[3], 16), set()).add((os.path.basename(row[1]), int(row[2])))
    return found


@functools.cache
def symbols(program, kinds='TtWw'):
    """Names of functions, as a person writes them."""
    named = [line.split(' ', 2) for line in run('nm', '-C', '--defined-only', program).splitlines()]
    return sorted({name for _, kind, name in named if kind in kinds and ' for ' not in name and '[' not in name})


def plain_names(program):
    """Without templates' instances that say what they return, and without lambdas: gdb has odd ideas of both."""
    def bare_name(name):
        while re.search(r'<[^<>]*>', name):
            name = re.sub(r'<[^<>]*>', '', name)
        return name.split('(')[0]
    return [name for name in symbols(program) if '{' not in name and (' ' not in bare_name(name) or 'operator' in bare_name(name).split(' ')[0])]


def places_of(program):
    """Every line of its sources, every function that has a symbol, and PLACES; of a large program, every so many of them."""
    base = os.path.basename(program)
    if not base.startswith('symbols-'):
        lines = sorted({place for found in rows(program).values() for place in found if place[1] != 0})
        inherited = ['shapes::square::made', 'shapes::square::twice', 'square::made', 'shapes::square::made(int)', 'square::made(char)', 'square::twice', 'square::nothing', 'nothing::made']
        return (inherited if 'walks-cxx' in base else []) + [f'{name}:{line}' for name, line in lines[::len(lines) // 200 + 1]] + plain_names(program)[::len(plain_names(program)) // 100 + 1]
    places = PLACES + (PLACES_CXX if 'cxx' in base else [])
    for name in ['program.cc'] if 'cxx' in base else ['program.c', 'other.c', 'shared.h']:
        places += [f'{name}:{line}' for line in range(1, len((SOURCES / name).read_text().split('\n')) + 3)]
    places += ['*0x' + line.split()[0] for line in run('nm', program).splitlines() if line.endswith((' main', ' _start'))]
    return places + symbols(program)


def is_error(lines):
    return not lines or lines[0].startswith('error: ')


def fields(lines, *which):
    return [] if is_error(lines) else [tuple(line.split('\t')[i] for i in which) for line in lines]


def bare(lines):
    """Places without the parameters of their functions."""
    return [line.split('(')[0] for line in lines]


def dropped(gdb, mine, program):
    """Are all places that gdb has not where rows of several lines begin?"""
    alone = set(fields(mine, 0, 1)) - set(fields(gdb, 0, 1))
    return bool(alone) and all(len(rows(program).get(int(address, 16), ())) > 1 for address, _ in alone)


def run_on(gdb, mine, program):
    """Do all places that gdb has not lie where a row of the same line goes before?"""
    table = rows(program)
    addresses = sorted(table)
    alone = set(fields(mine, 0, 1)) - set(fields(gdb, 0, 1))
    places = [bisect.bisect_left(addresses, int(address, 16)) for address, _ in alone]
    return bool(alone) and all(0 < at < len(addresses) and table[addresses[at]] & table[addresses[at - 1]] for at in places)


def in_cold_part(program, address):
    """Is an address in a part of a function that the compiler put elsewhere?"""
    names = [(int(line.split()[0], 16), line.split()[2]) for line in run('nm', '-n', '--defined-only', program).splitlines()]
    return '.cold' in next((name for start, name in reversed(names) if start <= int(address, 16)), '')


# What differs on purpose: why, and when. The conditions see the place, gdb's answer and ours, that with its marks for
# inlined copies, and the program.
RULES = [
    ('gdb drops the row of a line at whose address one of another line begins: lines that begin with an inlined call, and such',
     lambda place, gdb, mine, copies, program: dropped(gdb, mine, program)),
    ('a row that goes on with the line of the one before is none to gdb if the line has discriminators, even where only the second '
     'begins a statement: it then takes the next line',
     lambda place, gdb, mine, copies, program: not is_error(gdb) and run_on(gdb, mine, program) and
     fields(mine, 1) == [(place.split(':')[-1],)] * len(fields(mine, 1)) and
     all(int(line) > int(place.split(':')[-1]) for line, in fields(gdb, 1))),
    ('DWARF 2 does not say where inlined functions were called; gdb then takes them for none',
     lambda place, gdb, mine, copies, program: '-gcc-2-' in program and
     (place == 'inlined' or (not is_error(gdb) and fields(gdb, 0, 1, 2) == fields(mine, 0, 1, 2)))),
    ('gdb takes what was moved to in front of a function for its prologue, and goes behind it',
     lambda place, gdb, mine, copies, program: not is_error(mine) and fields(mine, 0) != fields(gdb, 0) and
     all(in_cold_part(program, address) for address, in set(fields(mine, 0)) - set(fields(gdb, 0)))),
    ('what has no mangled name, as lambdas and what is made of them, gdb names with types as the compiler spells them',
     lambda place, gdb, mine, copies, program: not is_error(gdb) and fields(gdb, 0, 1, 2) == fields(mine, 0, 1, 2) and
     all(one == other or 'lambda(' in one + other or one.endswith(('\toperator()', '\t' + other.split('(')[0].split('\t')[-1]))
         for one, other in zip(gdb, mine))),
    ('code of no line that is inlined: gdb shows no line, ours that of the call',
     lambda place, gdb, mine, copies, program: not is_error(gdb) and not is_error(mine) and fields(gdb, 0) == fields(mine, 0) and
     all(one == other or one.split('\t')[1] == '0' for one, other in zip(gdb, mine))),
    ('gdb names a function without a mangled name that was inlined without its parameters',
     lambda place, gdb, mine, copies, program: not is_error(gdb) and bare(gdb) == bare(mine) and
     all(one == other or '(' not in one for one, other in zip(gdb, mine))),
    ('gdb forgets inlined copies when a file, or the parameters of such a function, are given',
     lambda place, gdb, mine, copies, program: is_error(gdb) and copies and all(copies) and (':' in place or '(' in place or 'source' in place)),
    ('i386: gdb looks for pushes of registers at the beginning of functions without debug information',
     lambda place, gdb, mine, copies, program: program.endswith('-32') and {line for _, line in fields(gdb, 0, 1)} == {'0'}),
    ('labels: gdb shows their names in place of the lines',
     lambda place, gdb, mine, copies, program: fields(gdb, 0) == fields(mine, 0) and
     all(line == '0' and (':' in name or '-label' in name) for line, name in fields(gdb, 1, 3))),
    ('gdb says of no label that it is in an inner block, and of no breakpoint without a place in which function it is',
     lambda place, gdb, mine, copies, program: (place == 'labelled:inside' and is_error(gdb)) or
     (place == '' and fields(gdb, 0, 1, 2) == fields(mine, 0, 1, 2))),
    ('list: gdb goes to where the code begins, be it that of something else that was inlined there',
     lambda place, gdb, mine, copies, program: place.startswith('list ') and ('O0' not in program or 'squared' in place) and len(gdb) == len(mine) and not is_error(gdb)),
    ('libraries: of the names of one function gdb may take another, and it leaves out the lines of some inlined copies',
     lambda place, gdb, mine, copies, program: not is_error(gdb) and fields(gdb, 0) == fields(mine, 0) and
     all(one == other or (one[0] == other[0] and (one[1:3] == other[1:3] or one[1] == '0') and int(one[0], 16) >> 40 == 0x7f)
         for one, other in zip(fields(gdb, 0, 1, 2, 3), fields(mine, 0, 1, 2, 3)))),
    ('gdb waits for an indirect function to be called through its own table; ours reads what was chosen in any of them',
     lambda place, gdb, mine, copies, program: len(gdb) == len(mine) and 'resolver' not in ''.join(mine) and
     [name for line, name in fields(gdb, 1, 3) if line == '0' and name in ('choose', '__new_memcpy_ifunc')] != []),
    ('gdb leaves out the name of a function that was asked for by it',
     lambda place, gdb, mine, copies, program: fields(gdb, 0, 1, 2) == fields(mine, 0, 1, 2) and
     all(theirs == ours or (theirs == ('',) and ours == (place,)) for theirs, ours in zip(fields(gdb, 3), fields(mine, 3)))),
    ('by a derived class gdb finds functions only with its whole name, and without parameters',
     lambda place, gdb, mine, copies, program: is_error(gdb) and not is_error(mine) and 'square::' in place and
     (not place.startswith('shapes::') or '(' in place)),
    ('const behind the parameters may be left out',
     lambda place, gdb, mine, copies, program: place.endswith(')') and not is_error(mine) and set(fields(gdb, 0)) < set(fields(mine, 0)) and
     all(line.endswith(' const') or 'lambda(' in line for line in set(mine) - set(gdb))),
]


def plain(lines):
    """Ours without what gdb does not say: what is behind the place, the marks, and all but the lines of what is listed."""
    lines = [line for line in lines if not line.startswith('rest: ')]
    if is_error(lines):
        return lines
    lines = [line.rpartition('\t')[0] for line in lines]
    return ['\t'.join([*line.split('\t')[:2], '', '']) if line.startswith('0x0\t') else line for line in lines]


def check(tool, program, function, needed):
    places = PLACES_RUNNING if function else places_of(program)
    theirs, ours = ask_gdb(program, places, function), ask_ours(tool, program, places, function)
    if len(theirs) != len(places) or len(ours) != len(places):
        print(f'{program}: {len(places)} places, {len(theirs)} answers of gdb, {len(ours)} of ours')
        return 0, 1
    passed = failed = 0
    for place, gdb, mine in zip(places, theirs, ours):
        copies = [line.endswith('\tinlined') for line in mine]
        mine = plain(mine)
        gdb, mine = ([line.replace('> >', '>>') for line in lines] for lines in (gdb, mine))
        rule = next((why for why, applies in RULES if applies(place, gdb, mine, copies, program)), None)
        if gdb == mine or (is_error(gdb) and is_error(mine)):
            passed += 1
        elif rule is not None:
            needed[rule] = needed.get(rule, 0) + 1
        else:
            failed += 1
            print(f'{os.path.basename(program)}: break {place}')
            print(''.join(f'    gdb  {line}\n' for line in gdb) + ''.join(f'    ours {line}\n' for line in mine), end='')
    return passed, failed


def main():
    tool, programs = sys.argv[1], sys.argv[2:]
    function = programs[1] if programs[0] == '--at' else None
    if not shutil.which('gdb'):
        sys.exit('gdb is not there: make setup installs it.')
    passed = failed = 0
    needed = {}
    for program in programs[2:] if function else programs:
        good, bad = check(tool, program, function, needed)
        passed, failed = passed + good, failed + bad
    for why, count in needed.items():
        print(f'{count} times: {why}')
    print(f'{passed} passed, {failed} failed')
    return 1 if failed or not passed else 0


if __name__ == '__main__':
    sys.exit(main())
