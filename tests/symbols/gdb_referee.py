#!/usr/bin/env python3
"""gdb as the referee of what symbols/ reads of a program.

    gdb_referee.py types DESCRIBE PROGRAM…       the text of ptype/o, ptype and whatis for every named type, function
                                                 and variable
    gdb_referee.py scopes DESCRIBE PROGRAM…      what info scope shows at the first and last address of every function
                                                 and block: names, sizes, and the ranges of location lists

DESCRIBE is the test program tests/symbols/describe. Several units may have types of one name that differ; gdb shows one
of them, which must be among ours. In C++ we show what types are made of, as gdb does with ptype/r, not the parameters of
the template that made them. What differs on purpose is stated in DIFFERENCES, and counted apart.
"""

import argparse
import collections
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

GDB_SCRIPT = '''
import gdb
for line in open(NAMES):
    command = line.rstrip('\\n')
    print('== ' + command)
    try:
        print(gdb.execute(command, to_string=True), end='')
    except gdb.error as problem:
        print('error: ' + str(problem))
'''

# Lines of ptype/o that gdb writes and we do not:
# - padding at the end of a union inside a struct: gdb counts it from the start of the struct around it;
# - a hole in front of the first field of a nested class, which is its base or its table of virtual functions.
GAP = re.compile(r'/\* XXX .* (hole|padding) +\*/$')
OPENS = re.compile(r'(?:^|[ /])(struct|class|union) .*\{$|^(?:.* )?(struct|class|union) \{$')


def without_known_gaps(text):
    kept, open_ones, opened = [], [], False
    for line in text.split('\n'):
        gap = GAP.match(line)
        if gap and ((gap[1] == 'padding' and open_ones and open_ones[-1] == 'union') or (gap[1] == 'hole' and opened)):
            continue
        kept.append(line)
        match = OPENS.search(line)
        opened = bool(match) or (opened and line.endswith(':'))
        if match:
            open_ones.append(match[1] or match[2])
        elif re.match(r' *\}', line) and open_ones:
            open_ones.pop()
    return '\n'.join(kept)


def with_loose_arguments(text):
    """In a template's arguments gdb writes `T const*` and `4ul`, compilers `const T *` and `4UL`."""
    result, depth = '', 0
    for part in re.split(r'(<|(?<!-)>|(?<![\w])const (?=[\w(])| const(?!\w)| (?=[*&]))', text):
        depth += (part == '<') - (part == '>')
        if not (depth > 0 and part.strip() in ('const', '')):
            result += re.sub(r'\b(\d+)U?L', lambda match: match[0].lower(), part) if depth > 0 else part
    return result


def with_sorted_parameters(text):
    """In an optimised function gdb takes the parameters in the order in which the copy's entries stand, which is that
    of the registers they were left in, and some twice; we take them from the original, as they were declared."""
    head, parenthesis, parameters = text.rpartition(' (')
    if not parenthesis:
        return text
    return head + parenthesis + ', '.join(sorted(set(parameters.removesuffix(')').split(', '))))


def without_result_of_constructors(text):
    """gdb does not say of a destructor that it is virtual, and lets constructors that are templates return void."""
    text = re.sub(r'(\n +)(?:void|virtual )(?=~)', r'\1', text)
    return re.sub(r'(\n +)void (?=\w+<)', r'\1', text)


def with_unsigned_enumerators(text):
    """gdb takes the highest enumerators of an unsigned type for negative ones."""
    return re.sub(r' = -(\d+)', lambda match: f' = {2 ** 64 - int(match[1])}', text)


def without_const_void(text):
    """gdb takes the void of a template's `const void` for plain void, and std::nullptr_t too."""
    return text.replace('type = const void *', 'type = void *').replace('decltype(nullptr)', 'void')


def with_wide_integers(text):
    """clang calls it `unsigned __int128`, which gdb takes apart."""
    return text.replace('unsigned int __int128', 'unsigned __int128')


# (what is known to differ, and a text without it)
DIFFERENCES = [
    ('gaps that gdb miscounts', without_known_gaps),
    ('the spelling of template arguments', with_loose_arguments),
    ('the order of parameters of optimised functions', with_sorted_parameters),
    ('constructors and destructors', without_result_of_constructors),
    ('the sign of enumerators', with_unsigned_enumerators),
    ('kinds of void', without_const_void),
    ('unsigned __int128', with_wide_integers),
]


def ours(what, describe, program):
    """{gdb command: set of texts}"""
    result = subprocess.run([describe, what, program], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                            check=False, timeout=120)
    if result.returncode != 0:
        sys.exit(f'{program}: {result.stderr}')
    found = collections.OrderedDict()
    for part in ('\n' + result.stdout).split('\n== ')[1:]:
        command, _, text = part.partition('\n')
        found.setdefault(command, set()).add(text.strip('\n'))
    return found


def gdb_says(program, commands):
    """What gdb answers to each of the commands, in their order."""
    with tempfile.TemporaryDirectory() as folder:
        names = pathlib.Path(folder, 'names')
        names.write_text('\n'.join(commands) + '\n')
        script = pathlib.Path(folder, 'script.py')
        script.write_text(GDB_SCRIPT.replace('NAMES', repr(str(names))))
        result = subprocess.run(['gdb', '-nx', '-nh', '-q', '--batch', '-iex', 'set auto-load off', '-ex',
                                 'set max-completions 10', '-x', str(script), program], stdin=subprocess.DEVNULL,
                                capture_output=True, text=True, check=False, timeout=600,
                                env={**os.environ, 'LC_ALL': 'C.UTF-8'})
    answers = []
    for part in ('\n' + result.stdout).split('\n== ')[1:]:
        command, _, text = part.partition('\n')
        if command != commands[len(answers)]:
            sys.exit(f'{program}: gdb answered {command!r} where {commands[len(answers)]!r} was asked')
        answers.append(text.strip('\n'))
    if len(answers) != len(commands):
        sys.exit(f'{program}: gdb answered {len(answers)} of {len(commands)} questions: {result.stderr[-500:]}')
    return answers


def judge_type(texts, answer):
    """How gdb's answer and ours compare."""
    # gdb leaves the heading out where the name leads through a typedef.
    if answer in texts or '/* offset      |    size */  ' + answer in texts:
        return 'agreed'
    if answer.startswith('error: ') or 'no debug info>' in answer:
        return 'not found by gdb'
    mine = set(texts)
    for name, without in DIFFERENCES:
        answer, mine = without(answer), {without(text) for text in mine}
        if answer in mine:
            return name
    return 'differ'


def by_place(symbol):
    """The order in which symbols are compared: sizes may be left out, so they have no part in it."""
    name, _, ranges, how = symbol
    return name, ranges, how != 'one'


def scope_of_gdb(answer):
    """The symbols of one info scope: a sorted list of (name, size, ranges, how)."""
    found = []
    for part in ('\n' + answer).split('\nSymbol ')[1:]:
        name, _, rest = part.partition(' is ')
        if rest.startswith(('a typedef', 'a function', 'a label')):
            continue
        size = re.findall(r', length (\d+)\.', rest)
        ranges = [(int(low, 16), int(high, 16)) for low, high in re.findall(r'Range (0x\w+)-(0x\w+)', rest)]
        ranges = tuple(sorted(pair for pair in ranges if pair[0] != pair[1]))
        how = 'none' if rest.startswith('optimized out') else 'one' if not rest.startswith('multi-location') else \
            'list' if ranges else 'none'
        found.append((name, size[-1] if size else '?', ranges, how))
    return sorted(found, key=by_place)


def scope_of_ours(text):
    found = []
    for line in filter(None, text.split('\n')):
        name, size, *places = line.split(' ')
        ranges = [tuple(int(end, 16) for end in place.split('-')) for place in places if place.startswith('0x')]
        how = 'one' if not ranges and places else 'list' if ranges else 'none'
        found.append((name, size, tuple(sorted(ranges)), how))
    return sorted(found, key=by_place)


def same_symbol(mine, theirs):
    # gdb leaves out the size of what is optimised out and of variable arrays.
    return mine[0] == theirs[0] and mine[2:] == theirs[2:] and (mine[1] == theirs[1] or '?' in (mine[1], theirs[1]))


def judge_scope(texts, answer):
    theirs = scope_of_gdb(answer)
    for text in texts:
        parts = text.split('inlined in')
        for count in range(1, len(parts) + 1):
            mine = scope_of_ours('\n'.join(parts[:count]))
            if len(mine) == len(theirs) and all(map(same_symbol, mine, theirs)):
                # gdb goes as far as the function around, inlined or not; in strict DWARF 2 it takes inlined ones for
                # blocks.
                return 'agreed' if count == 1 else 'beyond the inlined function'
        # Of what a copy of a function lacks, gdb shows as optimised out what stands in the original, also if it stands
        # in a block of the copy that is not around the address. After link-time optimisation, originals have originals,
        # of which gdb knows the first.
        mine = [symbol for symbol in scope_of_ours(parts[0]) if symbol[3] != 'none']
        here = [symbol for symbol in theirs if symbol[3] != 'none']
        if len(mine) == len(here) and all(map(same_symbol, mine, here)):
            return 'but for what was left out'
    if answer.startswith('error: '):
        return 'not found by gdb'
    return 'differ'


def compare(what, describe, program, verbose):
    judge = {'types': judge_type, 'scopes': judge_scope}[what]
    found = ours(what, describe, program)
    counts = collections.Counter()
    for (command, texts), answer in zip(found.items(), gdb_says(program, list(found))):
        verdict = judge(texts, answer)
        counts[verdict] += 1
        if verdict == 'differ' and (verbose or counts['differ'] <= 5):
            print(f'{program}: {command}: gdb says\n{answer}\nwe say')
            print('\nor\n'.join(sorted(texts)))
        elif verdict == 'not found by gdb' and verbose:
            print(f'{program}: {command}: gdb: {answer}')
    print(f'{program}: ' + ', '.join(f'{count} {what}' for what, count in counts.items()))
    return counts


def main():
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('-v', '--verbose', action='store_true', help='show every difference')
    parser.add_argument('what', choices=['types', 'scopes'])
    parser.add_argument('describe')
    parser.add_argument('programs', nargs='+')
    options = parser.parse_args()
    if shutil.which('gdb') is None:
        print('no gdb: install it (make setup)')
        return 77
    totals = collections.Counter()
    for program in options.programs:
        totals += compare(options.what, options.describe, program, options.verbose)
    totals['agreed'] += sum(totals[name] for name, _ in DIFFERENCES) + totals['beyond the inlined function']
    totals['agreed'] += totals['but for what was left out']
    print(f'{totals["agreed"]} passed, {totals["differ"]} failed')
    return totals['differ'] != 0 or totals['agreed'] == 0


if __name__ == '__main__':
    sys.exit(main())
