"""Run by gdb_stacks.py inside gdb: stops a program at its instructions, and says what gdb makes of its stack there.

STOPS in the environment says how many instructions to choose, PLACES is the file that gets their addresses; UNITS, which
may be missing, is a pattern for the sources that large programs are to be stopped in besides that of main. The output is
that of tests/debugger/walk_stacks.
"""

import hashlib
import os
import re
import sys

import gdb

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from inside_gdb import code_of  # noqa: E402

KINDS = {gdb.NORMAL_FRAME: 'N', gdb.INLINE_FRAME: 'I', gdb.TAILCALL_FRAME: 'T', gdb.SIGTRAMP_FRAME: 'S'}
REGISTERS = 'rbx rbp rsp r12 r13 r14 r15 rip'.split()
FRAMES_MAX = 64
FUNCTIONS_MAX = 2000
VARIABLES_MAX = 8
NUMBERS = (gdb.TYPE_CODE_INT, gdb.TYPE_CODE_PTR, gdb.TYPE_CODE_ENUM, gdb.TYPE_CODE_BOOL, gdb.TYPE_CODE_CHAR)


def chance(what):
    """A number that looks like chance, and is always the same."""
    return hashlib.sha256(repr(what).encode()).digest()


def places_of(program):
    """Addresses of instructions, chosen in a way that does not change."""
    addresses = set()
    for start, end in sorted(code_of(program), key=chance)[:FUNCTIONS_MAX]:
        for instruction in gdb.selected_frame().architecture().disassemble(start, end - 1):
            # A function in two parts has others between them.
            if gdb.find_pc_line(instruction['addr']).symtab is not None:
                addresses.add(instruction['addr'])
    addresses.discard(gdb.newest_frame().pc())  # the program stands there
    chosen = sorted(addresses, key=chance)
    return sorted(chosen[:int(os.environ['STOPS'])])


def beginning():
    """How many inlined functions begin at the program counter, as gdb counts when it skips them."""
    pc = gdb.newest_frame().pc()
    block, before = gdb.block_for_pc(pc), gdb.block_for_pc(pc - 1)
    around = []
    while before is not None:
        around.append((before.start, before.end, str(before.function)))
        before = before.superblock
    count = 0
    while block is not None and not block.is_static and not block.is_global:
        if block.function is not None:
            outer = block.superblock
            if outer is None or outer.is_static or outer.is_global or \
                    (block.start != pc and (block.start, block.end, str(block.function)) in around):
                break
            count += 1
        block = block.superblock
    return count


def line_of(frame, shown):
    sal = frame.find_sal()
    file = sal.symtab.filename if sal.symtab is not None else ''
    kind = KINDS.get(frame.type(), '?')
    if kind == 'S':
        return f'S {frame.pc():#x} ??||0|1'
    return f'{kind} {frame.pc():#x} {frame.name() or "??"}|{file}|{sal.line if file else 0}|' \
           f'{int(re.match(r"#[0-9]+ +0x[0-9a-f]+ in ", shown) is not None)}'


def value_of(frame, name):
    """A register; the process's number is another at each run."""
    value = int(frame.read_register(name)) & (1 << 64) - 1
    return 'process' if value == gdb.selected_inferior().pid else hex(value)


def result_of(frame, symbol, block):
    """What gdb says of a variable, in the words of tests/symbols/variable_text.h."""
    try:
        value = frame.read_var(symbol, block)
        if value.is_optimized_out:
            return 'optimised'
        if value.type.strip_typedefs().code in NUMBERS and value.type.sizeof <= 8:
            return hex(int(value.cast(gdb.lookup_type('unsigned long'))) & (1 << 8 * value.type.sizeof) - 1)
        if value.type.strip_typedefs().code in (gdb.TYPE_CODE_REF, gdb.TYPE_CODE_RVALUE_REF):
            target = value.referenced_value().address
            return 'implicit' if target is None else hex(int(target))
        return 'elsewhere' if value.address is None else 'at ' + hex(int(value.address))
    except (gdb.error, gdb.MemoryError) as problem:
        return f'lost {problem}'


def variables(frame):
    try:
        block = frame.block()
    except RuntimeError:
        return
    while block is not None and not block.is_static and not block.is_global:
        for symbol in block:
            if symbol.is_variable or symbol.is_argument or symbol.addr_class == gdb.SYMBOL_LOC_OPTIMIZED_OUT or \
                    (symbol.is_constant and symbol.type.code != gdb.TYPE_CODE_ENUM):
                print('=', symbol.name, result_of(frame, symbol, block))
        if block.function is not None:
            break
        block = block.superblock


def frames():
    shown = [line for line in gdb.execute('bt', to_string=True).splitlines() if line.startswith('#')]
    frame, level = gdb.newest_frame(), 0
    while frame is not None and level < FRAMES_MAX:
        print(line_of(frame, shown[level]))
        frame.select()
        address = re.search(r'frame at (0x[0-9a-f]+)', gdb.execute('info frame', to_string=True))
        values = [f'{name}={value_of(frame, name)}' for name in REGISTERS]
        print('registers', *values, *(['cfa=' + address[1]] if address else []))
        if level < VARIABLES_MAX:
            variables(frame)
        frame, level = frame.older(), level + 1
    print('end')


def main():
    program = gdb.current_progspace().filename
    for setting in ('pagination off', 'confirm off', 'width 0', 'disable-randomization on', 'print inferior-events off',
                    'startup-with-shell off', 'print frame-arguments none'):
        gdb.execute('set ' + setting)
    gdb.execute('unset environment')
    gdb.execute('handle all nostop noprint pass', to_string=True)
    gdb.execute('tbreak *main', to_string=True)
    gdb.execute('run', to_string=True)
    if 'UNITS' in os.environ:
        gdb.execute('maint expand-symtabs ' + os.environ['UNITS'])
    places = places_of(program)
    with open(os.environ['PLACES'], 'w', encoding='ascii') as file:
        file.writelines(f'{address:x}\n' for address in places)
    for address in places:
        gdb.execute(f'tbreak *{address:#x}', to_string=True)
    while True:
        gdb.execute('continue', to_string=True)
        if gdb.selected_inferior().pid == 0:
            break
        print(f'stop {gdb.newest_frame().pc():#x} {beginning()}')
        frames()


main()
