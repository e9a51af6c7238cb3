"""Run by gdb_values.py inside gdb: stops a program at its lines, and compares the variables of every frame.

VALUES, STOPS in the environment: the test program tests/symbols/values, and at how many places to stop.
"""

import collections
import os
import re
import subprocess

import gdb

REGISTERS = 'rax rbx rcx rdx rsi rdi rbp rsp r8 r9 r10 r11 r12 r13 r14 r15 rip eflags'.split()
NUMBERS = (gdb.TYPE_CODE_INT, gdb.TYPE_CODE_PTR, gdb.TYPE_CODE_ENUM, gdb.TYPE_CODE_BOOL, gdb.TYPE_CODE_CHAR)


def result_of(frame, symbol, block):
    """What gdb says of a variable, in the words of values.c."""
    try:
        value = frame.read_var(symbol, block)
        if value.is_optimized_out:
            return 'optimised'
        if value.type.strip_typedefs().code in NUMBERS and value.type.sizeof <= 8:
            return hex(int(value.cast(gdb.lookup_type('unsigned long'))) & (1 << 8 * value.type.sizeof) - 1)
        if value.type.strip_typedefs().code in (gdb.TYPE_CODE_REF, gdb.TYPE_CODE_RVALUE_REF):
            return hex(int(value.referenced_value().address))
        return 'elsewhere' if value.address is None else 'at ' + hex(int(value.address))
    except (gdb.error, gdb.MemoryError) as problem:
        return f'lost {problem}'


enumerators = set()  # constants of gdb's that are no variables


def frames_of_gdb():
    """For every frame that is no inlined one: the address to look up by, and {name: set of results}."""
    found = []
    frame = gdb.newest_frame()
    newest = True
    while frame is not None and len(found) < 12:
        if frame.type() in (gdb.INLINE_FRAME, gdb.TAILCALL_FRAME):
            frame = frame.older()
            continue
        lookup = frame.pc() - (0 if newest else 1)
        newest = False
        results = collections.defaultdict(set)
        block = gdb.block_for_pc(lookup)
        if block is None:
            break
        while block is not None and not block.is_static and not block.is_global:
            for symbol in block:
                if symbol.is_variable or symbol.is_argument or symbol.is_constant or \
                        symbol.addr_class == gdb.SYMBOL_LOC_OPTIMIZED_OUT:
                    if symbol.is_constant and symbol.type.code == gdb.TYPE_CODE_ENUM:
                        enumerators.add(symbol.name)
                    results[symbol.name].add(result_of(frame, symbol, block))
            # A function may stand inside another's block, as a lambda does, without being a part of its frame.
            if block.function is not None and block.function.name == frame.function().name:
                break
            block = block.superblock
        found.append((lookup, results))
        frame = frame.older()
    return found


def frames_of_ours(program, bias):
    values = [f'{name}={int(gdb.parse_and_eval("$" + name)) & (1 << 64) - 1:x}' for name in REGISTERS]
    output = subprocess.run([os.environ['VALUES'], program, str(gdb.selected_inferior().pid), f'{bias:x}', *values],
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False).stdout
    found = []
    for line in output.splitlines():
        name, _, result = line.partition(' ')
        if name == 'frame':
            found.append((int(result, 16), collections.defaultdict(list)))
        elif found:
            found[-1][1][name].append(result)
    return found


def verdict(mine, theirs):
    """How one result of ours stands to those that gdb has under that name."""
    if mine in theirs:
        return 'agreed'
    if mine == 'implicit':
        return 'a pointer without a value'
    gone = mine == 'optimised' or mine.startswith('lost')
    if gone and any(result == 'optimised' or result.startswith('lost') for result in theirs):
        return 'agreed'
    if gone:
        return 'gdb shows a value where we have none'
    if all(result == 'optimised' or result.startswith('lost') for result in theirs):
        return 'we show a value where gdb has none'
    if mine == 'elsewhere' or theirs == {'elsewhere'}:
        return 'neither has an address'
    return 'differ'


def compare(program, bias, counts):
    place = gdb.newest_frame().pc()
    for (mine_at, mine), (theirs_at, theirs) in zip(frames_of_ours(program, bias), frames_of_gdb()):
        if mine_at != theirs_at:
            print(f'{program}: stopped at {place:#x}: a frame is at {theirs_at:#x} for gdb, at {mine_at:#x} for us')
            counts['differ'] += 1
            return
        for name, results in mine.items():
            for result in results:
                what = verdict(result, theirs.get(name, {'not there'}))
                counts[what] += 1
                if what != 'agreed' and (what == 'differ' or counts[what] <= 3):
                    print(f'{program}: stopped at {place:#x}, frame {mine_at:#x}, {name}: {what}: '
                          f'gdb {sorted(theirs.get(name, []))}, we {result}')
        for name in theirs.keys() - mine.keys() - enumerators:
            if theirs[name] != {'optimised'}:
                counts['differ'] += 1
                print(f'{program}: frame {mine_at:#x}: we do not have {name}: {theirs[name]}')


def addresses(program):
    """The addresses of the lines of the program's own units, not those of its libraries."""
    text = gdb.execute('maint info line-table', to_string=True)
    found, ours = set(), False
    for line in text.splitlines():
        if line.startswith('objfile: '):
            ours = line.split(' ')[1] == program
        match = re.match(r'\d+\s+\d+\s+(0x[0-9a-f]+)\s+Y', line)
        if match and ours:
            found.add(int(match[1], 16))
    return sorted(found)


def main():
    program = gdb.current_progspace().filename
    for setting in ('pagination off', 'confirm off', 'breakpoint pending off', 'disable-randomization on',
                    'print inferior-events off', 'startup-with-shell off', 'debuginfod enabled off'):
        try:
            gdb.execute('set ' + setting)
        except gdb.error:
            pass
    gdb.execute('break main', to_string=True)
    before = int(gdb.parse_and_eval('(unsigned long)&main'))
    gdb.execute('run > /dev/null', to_string=True)
    bias = int(gdb.parse_and_eval('(unsigned long)&main')) - before
    gdb.execute('delete')
    for address in addresses(program):
        gdb.execute(f'tbreak *{address:#x}', to_string=True)
    counts = collections.Counter()
    stops = 0
    while stops < int(os.environ['STOPS']):
        compare(program, bias, counts)
        stops += 1
        gdb.execute('continue', to_string=True)
        if not gdb.selected_inferior().is_valid() or gdb.selected_inferior().pid == 0:
            break
    print(f'VERDICT {stops} stops: ' + ', '.join(f'{count} {what}' for what, count in sorted(counts.items())))
    print(f'COUNTS {counts["agreed"]} {sum(counts.values()) - counts["agreed"]} {counts["differ"]}')


main()
