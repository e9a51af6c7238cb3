"""Run by gdb_names.py inside gdb: stops a program at its instructions, and says what gdb makes of names there.

STOPS in the environment says how many instructions to choose, PLACES is the file that gets their addresses, EXPRESSIONS
the file of what to print. The output is that of tests/debugger/look_around.
"""

import hashlib
import os
import re
import sys

import gdb

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from inside_gdb import code_of  # noqa: E402

FRAMES_MAX = 4


def places_of(program):
    """Addresses of instructions, chosen in a way that does not change."""
    addresses = set()
    for start, end in code_of(program):
        for instruction in gdb.selected_frame().architecture().disassemble(start, end - 1):
            if gdb.find_pc_line(instruction['addr']).symtab is not None:
                addresses.add(instruction['addr'])
    addresses.discard(gdb.newest_frame().pc())
    chosen = sorted(addresses, key=lambda address: hashlib.sha256(b'%x' % address).digest())
    return sorted(chosen[:int(os.environ['STOPS'])])


def returns_of(program):
    """The return instructions of the functions called returns_…."""
    found = set()
    for start, end in code_of(program):
        if str(gdb.block_for_pc(start).function).startswith('returns_'):
            found.update(instruction['addr'] for instruction in
                         gdb.selected_frame().architecture().disassemble(start, end - 1)
                         if instruction['asm'].split()[0] in ('ret', 'retq'))
    return found


def say_returned():
    """Carries out a return; gdb itself writes what was returned, past everybody who would listen."""
    if str(gdb.selected_frame().name()).startswith('returns_'):
        asm = gdb.selected_frame().architecture().disassemble(gdb.selected_frame().pc())[0]['asm']
        if asm.split()[0] in ('ret', 'retq'):
            say('finish')


def say(command):
    try:
        return gdb.execute(command, to_string=True).rstrip('\n')
    except gdb.error as problem:
        return f'error: {problem}'


def arguments_of(line):
    """What stands in the parentheses behind the function's name."""
    match = re.match(r'#\d+ +(?:0x[0-9a-f]+ in )?(.*?) \((.*?)\)(?: at .*| from .*)?$', line, re.DOTALL)
    return match[2] if match else line


def say_frame(level, expressions):
    frame = gdb.selected_frame()
    print(f'frame {level} {frame.name() or "??"}')
    print('line ' + arguments_of(say('frame').split('\n')[0]))
    for kind, command in (('arg', 'info args'), ('local', 'info locals')):
        for line in say(command).splitlines():
            if not line.startswith('No '):
                print(kind, line)
    for expression in expressions:
        answer = say('print ' + expression)
        print(f'= {expression} = ' + (answer if answer.startswith('error: ') else answer.split(' = ', 1)[1]))


def main():
    program = gdb.current_progspace().filename
    for setting in ('pagination off', 'confirm off', 'width 0', 'disable-randomization on', 'print inferior-events off',
                    'startup-with-shell off', 'print frame-arguments all', 'auto-load off', 'print pretty off'):
        gdb.execute('set ' + setting)
    gdb.execute('unset environment')
    gdb.execute('tbreak *main', to_string=True)
    gdb.execute('run', to_string=True)
    places = sorted(set(places_of(program)) | returns_of(program))
    with open(os.environ['PLACES'], 'w', encoding='ascii') as file:
        file.writelines(f'{address:x}\n' for address in places)
    with open(os.environ['EXPRESSIONS'], encoding='utf-8') as file:
        expressions = [line.rstrip('\n') for line in file if line.strip() and line[0] != '#']
    for address in places:
        gdb.execute(f'tbreak *{address:#x}', to_string=True)
    while True:
        gdb.execute('continue', to_string=True)
        if gdb.selected_inferior().pid == 0:
            break
        print(f'stop {gdb.newest_frame().pc():#x}')
        frame, level = gdb.newest_frame(), 0
        while frame is not None and level < FRAMES_MAX:
            frame.select()
            say_frame(level, expressions)
            frame, level = frame.older(), level + 1
        gdb.newest_frame().select()
        say_returned()


main()
