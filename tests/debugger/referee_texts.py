"""Texts of gdb's in which no value of the program is hidden, or in which it can be read another way (referee_rules.py)."""

import re

LOST = '<optimized out>'
# Of the C++ library's templates, what is left out when it is what the library says that it is by default.
DEFAULT_ARGUMENT = re.compile(r', std::(?:default_delete|allocator|less|hash|equal_to|char_traits)'
                              r'<(?:[^<>]|<(?:[^<>]|<[^<>]*>)*>)*>(?= ?>)')


def quirk(command, theirs, ours, witness):
    """Why gdb's answer as a whole is another one; None where there is no such reason."""
    number = ours.startswith('$N = ')
    if theirs == 'That operation is not available on integers of more than 8 bytes.' and number:
        return 'wide-integers'
    if command.startswith('print -') and (theirs, ours) == ('$N = 0', '$N = -0'):
        return 'negative-zero'
    if command.startswith('whatis &') and theirs == 'Attempt to take address of register or constant.' and \
            re.fullmatch(r'type = .*\*', ours):
        return 'no-address'
    if re.match(r'(whatis|ptype|print)\S* [*&]', command) and is_lost(theirs) and \
            (ours.startswith('type = ') or is_lost(ours)):
        return 'type-of-lost'
    if re.match(r'print/[txdoz] ', command) and (same_complex(theirs, ours) or same_ten_bytes(command, theirs, ours, witness)):
        return 'complex-format' if ours.endswith('i') else 'padding-bytes'
    if 'bigger than all memory' in ours and is_beyond_memory(command, theirs, witness):
        return 'beyond-memory'
    if command.startswith('whatis') and DEFAULT_ARGUMENT.sub('', theirs).replace(' >', '>') == ours.replace(' >', '>'):
        return 'type-printers'
    if theirs.startswith('[Switching to Thread') and ours.startswith('[Switching to Thread') and \
            theirs.splitlines()[0] != ours.splitlines()[0]:
        return 'scheduler'
    return None


def is_lost(answer):
    """Does that say of a value that it is not there, or in no memory, and nothing else?"""
    return answer in ('value has been optimized out', f'$N = {LOST}', 'Attempt to take address of value not located in memory.',
                      'Cannot call functions in the program: may-call-functions is off.')


def same_complex(theirs, ours):
    """Are the two halves of a number, as digits of one base, the digits of the whole?"""
    found = re.fullmatch(r'\$N = ([01]+) \+ ([01]+)i', ours)
    whole = re.fullmatch(r'\$N = ([01]+)', theirs)
    return bool(found and whole) and any(int(whole[1], 2) == int(found[1], 2) | int(found[2], 2) << half
                                         for half in (32, 64, 128))


def same_ten_bytes(command, theirs, ours, witness):
    """Are the lower eighty bits of two numbers the same, and is the variable a long double?"""
    expression = command.split(' ', 1)[1]
    numbers = [re.fullmatch(r'\$N = (0x[0-9a-f]+|-?\d+)', answer) for answer in (theirs, ours)]
    if None in numbers or 'long double' not in witness.in_frame(witness.selected(), f'whatis {expression}'):
        return False
    return len({int(number[1], 0) & (1 << 80) - 1 for number in numbers}) == 1


def is_beyond_memory(command, theirs, witness):
    """Does gdb itself name an array that has more elements than there are addresses?"""
    names = re.findall(r'^(\w+) = <error reading', theirs, re.MULTILINE) or [command.rsplit(' ', 1)[-1]]
    for name in names:
        found = re.search(r'\[(\d+)\]', witness.in_frame(witness.selected(), f'whatis {name}'))
        if found and int(found[1]) >= 1 << 60:
            return True
    return False


def without_notes(text):
    return '\n'.join(line for line in text.splitlines() if not line.startswith('Note: breakpoint'))


def without_union_padding(text):
    """Lines that say that a union is padded, at its end."""
    lines = text.splitlines()
    kept = []
    for i, line in enumerate(lines):
        if re.match(r'/\* XXX +\d+-byte padding +\*/', line) and is_union_around(lines, i):
            continue
        kept.append(line)
    return '\n'.join(kept)


def is_union_around(lines, at):
    """What begins where the block of that line does?"""
    depth = 0
    for line in reversed(lines[:at]):
        depth += bool(re.search(r'\}( \w+|;|$)', line))
        if line.endswith('{'):
            if depth == 0:
                return 'union' in line
            depth -= 1
    return False


def without_function_parameters(theirs, ours):
    """A frame of a C++ function whose name, as gdb has it, goes on with the parameters: f<int>(int, long) (n=1, …)."""
    start = r'((?:Run till exit from )?(?:#\d+ +)?(?:0x[0-9a-f]+ in )?| rip = 0x[0-9a-f]+ in |.*reakpoint [\w.]+, (?:0x[0-9a-f]+ in )?)'
    mine = re.match(start + r'([^\s(].*?)( \((?:\w+=|\)|[^()]+:\d+\)|this=).*)$', ours)
    if not mine or not ('lambda' in mine[2] or 'operator' in mine[2]):
        return theirs
    canonical = re.sub(r'\blong int\b', 'long', theirs)
    head = mine[1] + mine[2] + '('
    if not canonical.startswith(head):
        return theirs
    depth, at = 1, len(head)
    while at < len(canonical) and depth:
        depth += {'(': 1, ')': -1}.get(canonical[at], 0)
        at += 1
    rest = canonical[at:].removeprefix(' const')
    return mine[1] + mine[2] + rest if rest.startswith(' (') else theirs


def symbols_of(text):
    """The pieces of a text between its symbols, and the symbols: 0x1234 <main+4>; offsets stay with the pieces."""
    pieces, symbols, at = [], [], 0
    for found in re.finditer(r'0x[0-9a-f]+ <(?=\D)', text):
        if found.start() < at:
            continue
        depth, end = 1, found.end()
        while end < len(text) and depth:
            depth += {'<': 1, '>': -1}.get(text[end], 0)
            end += 1
        name, _, offset = text[found.end():end - 1].partition('+') if '(' not in text[found.end():end - 1] else \
            re.fullmatch(r'(.*?)(\+?)(\d*)', text[found.end():end - 1]).groups()
        pieces.append(text[at:found.end()] + offset)
        symbols.append(name)
        at = end
    return pieces + [text[at:]], symbols


def reason_of_symbols(theirs, ours, witness):
    """Why symbols at the same addresses have other names, where nothing else differs; None: something does."""
    left, right = symbols_of(theirs), symbols_of(ours)
    if left[0] != right[0] or left[1] == right[1]:
        return None
    reasons = {reason_of_symbol(one, other, witness) for one, other in zip(left[1], right[1]) if one != other}
    return reasons.pop() if len(reasons) == 1 else None


def reason_of_symbol(theirs, ours, witness):
    if 'lambda' in theirs and 'lambda' in ours:
        return 'lambda-symbol'
    if '(' in ours and sorted(re.split(r'\(|, |\)', theirs)) == sorted(re.split(r'\(|, |\)', ours)):
        return 'parameter-order'
    addresses = {witness.debugger.ask(f"print (long)&'{name}'").rpartition(' = ')[2] for name in (theirs, ours)}
    return 'alias' if len(addresses) == 1 and addresses.pop().lstrip('-').isdigit() else None
