"""What a difference between gdb's answer and trapline's comes to.

Answers are taken apart into the frames and variables in them, and each is compared by itself; what is left must be equal,
text for text. A difference is excused only by a rule: either a text that cannot hide a value, or a value about which
the witness (gdb itself, asked where the debug information says that the variable is) shows that gdb cannot know it.
Every use is counted under the rule's name, and the first line of its description is printed as the reason.
"""

import re

from referee_texts import (quirk, reason_of_symbols, without_function_parameters, without_notes,
                           without_union_padding)
from sessions import children

LOST = '<optimized out>'
# What a function that is called may change (System V ABI, figure 3.4), by all names of their parts.
VOLATILE = re.compile(r'\$(?:[re]?(?:ax|cx|dx)|[re]?[sd]i|r(?:8|9|10|11)[dwb]?|[xyz]mm\d+|st\(?\d?\)?|k\d)\b')
FRAME = re.compile(r'^(Run till exit from )?(?:#(\d+) +)?((?:0x[0-9a-f]+ in )?)([^\s(][^(]*|\?\?|<[^>]*>\S*) \((.*)\)((?: at .*| from .*)?)$')
VARIABLE = re.compile(r'^([A-Za-z_][\w@.]*) = (.*)$')

THUNK = re.compile(r'^(0x[0-9a-f]+ in|Single stepping until exit from function) __x86\.get_pc_thunk\.\w+( \(\)|,)$', re.MULTILINE)
LONGJMP = re.compile(r'(Run till exit from .*\n)?Warning:\nCannot insert breakpoint 0\.\nCannot access memory at address .*\n\n'
                     r'.* in \w*longjmp \(\)')
NO_ADDRESS = ('Cannot call functions in the program: may-call-functions is off.',
              'Attempt to take address of value not located in memory.')
GUESS = '\n found by a guess: no information for unwinding covers the frame inside of it'

REASONS = {
    'tells-entry': 'trapline tells the value at the function\'s entry besides, where gdb does not find it',
    'entry-of-inlined': 'gdb takes the value at the entry of the function around for that of an inlined function',
    'entry-lost': 'gdb reads what the caller passed from a register that the call may have changed since',
    'call-changed': 'gdb shows a register of a caller that the call may have changed: what it held is lost',
    'inlined-caller': 'gdb takes what an inlined function was passed from registers of the function around it, not of its caller',
    'ada': 'gdb takes C\'s names with two underscores for Ada\'s, and writes a__b as a.b',
    'parameters': 'gdb cannot parse the name of a function with a lambda or an operator, and leaves its parameters on it',
    'star-of-int': 'gdb reads memory at the address that an int holds; trapline says that it is no pointer',
    'max-value-size': 'gdb refuses values above max-value-size; trapline shows them as far as they are to be shown',
    'const-void': 'gdb forgets in ptype that the void that is pointed to is const or volatile',
    'template': 'gdb writes a template\'s parameter where trapline writes what it stands for here',
    'bound': 'gdb does not find the bound of a variable-length array; trapline does',
    'cut-character': 'gdb sets the bytes of a character that is cut off apart from the string, and loses the one before it',
    'absent': 'gdb lists variables of blocks and copies that have no code here, as optimised out',
    'order': 'gdb lists the variables of a block in the order of a hash table',
    'beyond-pieces': 'gdb takes what no piece of a variable holds for a pointer that was optimised out',
    'one-piece': 'gdb takes no address of a variable that is all in one piece of memory',
    'union-padding': 'gdb counts the padding of a union from where it stands in the struct around it',
    'mangled': 'gdb takes the address in a jmp_buf for one to stop at; the C library keeps it encrypted',
    'lost-array': 'gdb finds no address of the first element of an array that was optimised out, or would call malloc for one',
    'thunk': 'gdb stops in a call of __x86.get_pc_thunk, which next, until and finish are to go over',
    'guess': 'trapline says besides that a frame was found by a guess',
    'enumerators': 'gdb lists the constants of an enum that a block declares as if they were variables',
    'constants': 'gdb lists no constants of several bytes among the variables; asked for one, it shows the same value',
    'stopped-short': 'gdb says why fewer steps were made than it was told to, but not where that was; trapline says both',
    'runs-differ': 'the program itself left other bytes there in its two runs: of time, random numbers, what was there before',
    'wide-integers': 'gdb cannot reckon with 128 bits',
    'negative-zero': 'gdb subtracts from zero for a minus, and loses the sign of a zero',
    'no-address': 'gdb does not tell the type of the address of what is in no memory',
    'type-of-lost': 'gdb says nothing of what an optimised pointer or array leads to; trapline tells its type, or that it is lost',
    'complex-format': 'gdb shows the two halves of a complex number as one number',
    'padding-bytes': 'gdb shows the bytes behind a long double\'s ten as a part of the number',
    'union-padding': 'gdb takes the end of a union\'s members for that of a struct\'s, and says that it is padded',
    'beyond-memory': 'gdb wraps the size of an array that is bigger than all memory around',
    'type-printers': 'gdb without the C++ library\'s printers writes default template arguments out',
    'scheduler': 'which of two threads comes first differs from run to run',
    'alias': 'two symbols have the same address, and gdb tells the other one',
    'parameter-order': 'gdb makes a clone\'s name from its parameters, which gcc put into another order',
    'lambda-symbol': 'gdb names functions of lambdas as the debug information does, trapline as the linker; the address is the same',
    'not-described': 'gdb takes bytes that the debug information does not describe for zeros, or for a pointer',
    'also-set': 'gdb notes which other breakpoints stand at an address',
    'said-before': 'gdb said before that the source is not there, and so did trapline: whichever says it again',
}


# Frames whose arguments were excused: the function, gdb's and trapline's arguments, and why.
SEEN = {}


class Witness:
    """gdb, asked about the frames that it stands in; its answers are not compared, and it stands as before after them."""

    def __init__(self, debugger, other):
        self.debugger, self.other = debugger, other
        self.before = None  # how both showed the frame at the last question, where that was right

    def selected(self):
        found = re.match(r'Stack level (\d+)', self.debugger.ask('info frame'))
        return int(found[1]) if found else 0

    def counter(self):
        found = re.search(r'0x[0-9a-f]+', self.debugger.ask('print/x $pc'))
        return int(found[0], 16) if found else None

    def in_frame(self, level, command):
        return self.debugger.ask(f'frame apply level {level} -q {command}')

    def is_inlined(self, level):
        return 'inlined into frame' in self.in_frame(level, 'info frame')

    def has_called(self, level):
        """Is there a machine's frame inside of this one?"""
        for inner in range(level):
            if not self.is_inlined(inner):
                return True
        return False

    def place(self, level, name):
        """Where the debug information has a variable at the place where a frame stands, in gdb's words."""
        text = self.in_frame(level, f'info address {name}')
        counter = self.in_frame(level, 'print/x $pc')
        found = re.search(r'0x[0-9a-f]+', counter)
        ranges = re.split(r'  Range (?=0x)', text)
        if len(ranges) == 1 or not found:
            return text
        address = int(found[0], 16) - (1 if self.has_called(level) else 0)
        for part in ranges[1:]:
            bounds = re.match(r'(0x[0-9a-f]+)-(0x[0-9a-f]+)', part)
            if bounds and int(bounds[1], 16) <= address < int(bounds[2], 16):
                return part
        return ''

    def not_described(self, level, name, place):
        """Are there fewer bytes in the pieces that a variable is in than it has?"""
        pieces = [int(size) for size in re.findall(r'(\d+)-byte piece', place)]
        size = re.search(r' = (\d+)$', self.in_frame(level, f'print sizeof({name})'))
        return bool(pieces and size) and sum(pieces) < int(size[1])

    def runs_differ(self, level, expression):
        """Do the two processes, read by nobody's debugger, hold different bytes where gdb says that this stands?"""
        said = [self.in_frame(level, command.format(expression)) for command in
                ('print/x (unsigned long)&({})', 'print sizeof({})')]
        numbers = [re.search(r' = (0x[0-9a-f]+|\d+)$', text) for text in said]
        if None in numbers:
            return False
        address, size = (int(number[1], 0) for number in numbers)
        held = [bytes_of(debugger.process.pid, address, min(size, 1 << 20)) for debugger in (self.debugger, self.other)]
        return None not in held and held[0] != held[1]

    def arguments(self, level):
        return dict(found.groups() for found in
                    (VARIABLE.match(line) for line in self.in_frame(level, 'info args').splitlines()) if found)


def bytes_of(parent, address, size):
    """What the program that a debugger runs holds in its memory."""
    for child in children(parent):
        try:
            with open(f'/proc/{child}/mem', 'rb') as memory:
                memory.seek(address)
                return memory.read(size)
        except (OSError, OverflowError, ValueError):
            pass
    return None


def split_list(text):
    """The items of "a=1, b={c = 2, d = 3}, e="x, y"", by what stands outside of braces and quotes."""
    items, depth, quote, start, at = [], 0, '', 0, 0
    while at < len(text):
        character = text[at]
        if quote:
            if character == '\\':
                at += 1
            elif character == quote:
                quote = ''
        elif character in '"\'':
            quote = character
        elif character in '{(<[':
            depth += 1
        elif character in '})>]':
            depth -= 1
        elif depth <= 0 and text.startswith(', ', at):
            items.append(text[start:at])
            start = at + 2
        at += 1
    return items + [text[start:]] if text else []


def variables_of(text):
    """The arguments of a frame: name to value; NAME=NAME@entry=V is both."""
    found = {}
    for item in split_list(text):
        name, _, value = item.partition('=')
        if value.startswith(name + '@entry='):
            value = value[len(name) + 7:]
            found[name + '@entry'] = value
        found[name] = value
    return found


class Judge:
    def __init__(self, witness):
        self.witness = witness
        self.reasons = set()
        self.worst = 'same'

    def note(self, outcome, reason=None):
        """The outcome of a whole is that of its worst part."""
        order = ('same', 'excused', 'refused', 'more', 'left out', 'differ')
        if reason:
            self.reasons.add(reason)
        if order.index(outcome) > order.index(self.worst):
            self.worst = outcome

    def entry_claimed(self, level, name):
        """gdb alone says that an argument is what it was at the entry."""
        if self.witness.is_inlined(level):
            return self.note('excused', 'entry-of-inlined')
        if VOLATILE.search(self.witness.place(level, name)) and self.passed_on(level, name):
            return self.note('excused', 'entry-lost')
        return self.note('left out')

    def passed_on(self, level, name):
        """Did the call pass on a register that it does not keep? Then what gdb reads there says nothing."""
        found = VOLATILE.search(self.witness.place(level, name))
        entry = self.witness.in_frame(level, f'print {name}@entry')
        outer = level + 1
        while self.witness.is_inlined(outer):
            outer += 1
        # gdb reads the caller's register as the callee has it now: equal, whatever it held.
        here, there = (self.witness.in_frame(at, f'print/x {found[0]}') for at in (level, outer))
        return ' = ' in entry and here.partition(' = ')[2] == there.partition(' = ')[2]

    def variable(self, level, name, theirs, ours):
        if theirs == ours:
            return None
        if theirs and ours and as_ada(theirs) == as_ada(ours):
            return self.note('excused', 'ada')
        if theirs and ours and as_whole_string(theirs) == as_whole_string(ours):
            return self.note('excused', 'cut-character')
        if theirs and ours and reason_of_symbols(theirs, ours, self.witness):
            return self.note('excused', reason_of_symbols(theirs, ours, self.witness))
        if name.endswith('@entry'):
            if theirs is None:
                return self.note('excused', 'tells-entry')
            if ours is None:
                return self.entry_claimed(level, name[:-6])
            return self.note('excused', 'inlined-caller') if self.from_inlined(level, ours) else self.note('differ')
        if theirs is None or ours is None:
            return self.note('differ')
        if '<incomplete sequence' in theirs and self.lost_character(level, name, theirs, ours):
            return self.note('excused', 'cut-character')
        if self.witness.runs_differ(level, name):
            return self.note('excused', 'runs-differ')
        if '<synthetic pointer>' in theirs and self.beyond_pieces(level, name, theirs, ours):
            return self.note('excused', 'beyond-pieces')
        place = self.witness.place(level, name)
        if LOST in ours and self.witness.not_described(level, name, place):
            return self.note('excused', 'not-described')
        if LOST in ours and fills(ours, theirs):
            if VOLATILE.search(place) and 'entry_value' not in place and self.witness.has_called(level):
                return self.note('excused', 'call-changed')
            if 'entry_value' in place and self.witness.is_inlined(level):
                return self.note('excused', 'inlined-caller')
            if 'entry_value' in place and VOLATILE.search(place) and self.passed_on(level, name):
                return self.note('excused', 'entry-lost')
            return self.note('left out')
        if LOST in theirs and fills(theirs, ours):
            return self.note('more')
        if 'entry_value' in place and self.witness.is_inlined(level) and self.passed_through(level, ours):
            return self.note('excused', 'inlined-caller')
        return self.note('differ')

    def from_inlined(self, level, value):
        """Did an inlined function make the call, and the function around it get the value that trapline tells?"""
        return self.witness.is_inlined(level + 1) and self.passed_through(level + 1, value)

    def passed_through(self, level, value):
        """Does gdb itself show that value as one that the function around was called with?"""
        outer = level + 1
        while self.witness.is_inlined(outer):
            outer += 1
        return value in self.witness.arguments(outer).values()

    def without_absent(self, left, right):
        """What gdb lists besides, of other blocks and copies: each of it optimised out, and not a value among it."""
        kept, at = [], 0
        for line in left:
            if at < len(right) and line.partition(' = ')[0] == right[at].partition(' = ')[0]:
                kept.append(line)
                at += 1
            elif line.endswith(f' = {LOST}') or line == 'No locals.':
                self.note('excused', 'absent')
            elif self.is_enumerator(line):
                self.note('excused', 'enumerators')
            else:
                kept.append(line)
        return kept or ['No locals.']

    def beyond_pieces(self, level, name, theirs, ours):
        """Do the pieces of a variable not reach to its end, and is that all that differs?"""
        pieces = re.findall(r'\[(\d+)-byte piece\]', self.witness.place(level, name))
        size = re.search(r'= (\d+)', self.witness.in_frame(level, f'print sizeof({name})'))
        return (pieces and size and sum(map(int, pieces)) < int(size[1]) and
                without_repeats(theirs.replace('<synthetic pointer>', LOST)) == without_repeats(ours))

    def is_one_piece(self, theirs, ours):
        found = re.fullmatch(r'Can\'t take address of "(\w+)" which isn\'t an lvalue\.', theirs)
        place = self.witness.place(self.witness.selected(), found[1]) if found else ''
        return len(re.findall(r'-byte piece\]', place)) == 1 and 'a variable in $' not in place and ours.startswith('0x')

    def is_enumerator(self, line):
        name, _, value = line.partition(' = ')
        level = self.witness.selected()
        return (name == value and 'is constant' in self.witness.in_frame(level, f'info address {name}') and
                'type = enum' in self.witness.in_frame(level, f'whatis {name}'))

    def without_constants(self, left, right):
        """What trapline lists besides, and gdb shows when it is asked for it: the same value."""
        kept, at, level = [], 0, self.witness.selected()
        for line in right:
            name, _, value = line.partition(' = ')
            if at < len(left) and name == left[at].partition(' = ')[0]:
                at += 1
            elif ('is constant' in self.witness.in_frame(level, f'info address {name}') and
                  re.sub(r'^\$\d+ = ', '', self.witness.in_frame(level, f'print {name}').strip()) == value):
                self.note('excused', 'constants')
                continue
            kept.append(line)
        return kept or ['No locals.']

    def lost_character(self, level, name, theirs, ours):
        """A string in which gdb shows all but a character: is that one what it says stands there, asked in numbers?"""
        parts = re.split(r'(?:", )?<incomplete sequence ([^>]*)>', theirs)
        pattern = re.escape(parts[0])
        for sequence, rest in zip(parts[1::2], parts[2::2]):
            opening = '' if '"' in pattern.rpartition(', ')[2] else '"'
            pattern += opening + r'([^\\"]?)' + re.escape(sequence + '"' + rest)
        found = re.fullmatch(pattern, ours) if len(parts) > 1 else None
        if not found:
            return False
        numbers = self.witness.in_frame(level, f'print/x {name}')
        for character, sequence in zip(found.groups(), parts[1::2]):
            bytes_there = [*character.encode(), *(int(octal, 8) for octal in re.findall(r'\\(\d{3})', sequence))]
            if ', '.join(f'0x{byte:x}' for byte in bytes_there) not in numbers:
                return False
        return True

    def frame(self, level, function, theirs, ours):
        """The arguments of one frame. What gdb calls lost, with a value at the entry, it does not print."""
        judged = Judge(self.witness)
        judged.arguments(level, theirs, ours)
        if judged.worst == 'excused' and function:
            SEEN[function, theirs, ours] = sorted(judged.reasons)[0]
        self.reasons |= judged.reasons
        self.note(judged.worst)

    def arguments(self, level, theirs, ours):
        left, right = variables_of(theirs), variables_of(ours)
        for name in left:
            if name.endswith('@entry') and name[:-6] not in left:
                left[name[:-6]] = LOST
        for name in right:
            if name.endswith('@entry') and name[:-6] not in right:
                right[name[:-6]] = LOST
        for name in sorted(left.keys() | right.keys()):
            self.variable(level, name, left.get(name), right.get(name))

    def line(self, command, theirs, ours):
        without = without_function_parameters(theirs, ours)
        if without != theirs:
            self.note('excused', 'parameters')
            theirs = without
            if theirs == ours:
                return None
        if self.witness and [f'Run till exit from {line}' for line in self.witness.before or ()] == [theirs, ours]:
            return None
        left, right = FRAME.match(theirs), FRAME.match(ours)
        if left and right and left.groups()[:4] == right.groups()[:4] and left[6] == right[6]:
            # The frame that is left is gone by now: what was said of it before holds.
            if left[1] and (left[4], left[5], right[5]) in SEEN:
                return self.note('excused', SEEN[left[4], left[5], right[5]])
            level = int(left[2]) if left[2] else self.witness.selected()
            return self.frame(level, left[4], left[5], right[5])
        left, right = (re.match(r'( Arglist at 0x[0-9a-f]+, args: )(.*)$', one) for one in (theirs, ours))
        if left and right and left[1] == right[1]:
            return self.frame(self.witness.selected(), None, left[2], right[2])
        left, right = VARIABLE.match(theirs), VARIABLE.match(ours)
        if command.startswith(('info args', 'info locals')) and left and right and left[1] == right[1]:
            return self.variable(self.witness.selected(), left[1], left[2], right[2])
        found = re.match(r'(?:print|output)(?:/\w)? (.+)$', command)
        if found and self.witness.runs_differ(self.witness.selected(), found[1]):
            return self.note('excused', 'runs-differ')
        found = re.match(r'print(?:/\w)? (\w+)$', command)
        if found and theirs.startswith('$N = ') and ours.startswith('$N = '):
            return self.variable(self.witness.selected(), found[1], theirs[5:], ours[5:])
        return self.text(theirs, ours)

    def text(self, theirs, ours):
        """Texts that hold no value of the program, or hold it whole."""
        reason = reason_of_symbols(theirs, ours, self.witness)
        if reason:
            return self.note('excused', reason)
        for reason, change in (('ada', as_ada), ('said-before', as_said_before), ('cut-character', as_whole_string)):
            if change(theirs) == change(ours):
                return self.note('excused', reason)
        if re.sub(r'\b(const |volatile )+void\b', 'void', ours) == theirs:
            return self.note('excused', 'const-void')
        if '[variable length]' in theirs and re.fullmatch(
                re.escape(theirs).replace(re.escape('[variable length]'), r'\[\d+\]'), ours):
            return self.note('more', 'bound')
        if fills(ours, theirs):
            return self.note('left out')
        return self.note('more' if fills(theirs, ours) else 'differ')

    def whole(self, command, theirs, ours):
        if 'is no pointer: its type is' in ours and re.match(r'(whatis|ptype|print|x)\S* \*', command):
            return self.note('excused', 'star-of-int')
        if re.fullmatch(r'value requires \d+ bytes, which is more than max-value-size', theirs):
            return self.note('excused', 'max-value-size')
        if command.startswith(('tbreak', 'break')):
            if without_notes(theirs) != theirs:
                theirs, ours = without_notes(theirs), without_notes(ours)
                self.note('excused', 'also-set')
        reason = quirk(command, theirs, ours, self.witness)
        if reason:
            return self.note('excused', reason)
        if command.startswith('ptype') and without_union_padding(theirs) != theirs:
            theirs = without_union_padding(theirs)
            self.note('excused', 'union-padding')
        if command.startswith('ptype') and ' [with ' in theirs:
            replaced = without_parameters(theirs)
            if replaced != theirs:
                theirs = replaced
                self.note('excused', 'template')
        if (re.match(r'(step|next|stepi|nexti|until) \d', command) and 'of current function' in theirs and
                re.fullmatch(re.escape(theirs) + r'\n(0x[0-9a-f]+) in .*', ours) and
                int(ours.splitlines()[-1].split()[0], 16) == self.witness.counter()):
            return self.note('excused', 'stopped-short')
        if re.match(r'(next|until|finish)', command) and THUNK.search(theirs) and not THUNK.search(ours):
            return self.note('excused', 'thunk')
        if LONGJMP.match(theirs):
            return self.note('excused', 'mangled')
        if theirs in NO_ADDRESS and ours == '$N = ' + LOST:
            return self.note('excused', 'lost-array')
        if command.startswith('x/') and self.is_one_piece(theirs, ours):
            return self.note('excused', 'one-piece')
        if command.startswith('info frame') and GUESS in ours:
            ours = ours.replace(GUESS, '')
            self.note('excused', 'guess')
        if command.startswith('ptype/o') and without_union_padding(theirs) == ours:
            return self.note('excused', 'union-padding')
        left, right = theirs.splitlines(), ours.splitlines()
        if command.startswith('info locals') and left == ['No locals.'] != right:
            left = []
        if command.startswith('info locals') and len(left) < len(right):
            right = self.without_constants(left, right)
            left = left or ['No locals.']
        if command.startswith('info locals') and len(left) > len(right):
            left = self.without_absent(left, right)
        more = [one for one in left if one not in right]
        if (command.startswith('info locals') and more and sorted(left) == sorted(right + more) and
                all(one.endswith(f' = {LOST}') for one in more)):
            self.note('excused', 'absent')
            return self.note('excused', 'order')
        if command.startswith('info locals') and left != right and sorted(left) == sorted(right):
            return self.note('excused', 'order')
        if len(left) != len(right):
            return self.note('more' if fills(theirs, ours) else 'left out' if fills(ours, theirs) else 'differ')
        for one, other in zip(left, right):
            if one != other:
                self.line(command, one, other)
        return None


def without_union_padding(text):
    """ptype/o without what gdb says of unions that stand inside of a struct: it counts from there, and not from their start."""
    lines, kept = text.splitlines(), []
    for at, line in enumerate(lines):
        padding = re.fullmatch(r'/\* XXX +(\d+)-byte padding +\*/', line)
        size = re.search(r'total size \(bytes\): +(\d+) ', lines[at + 2]) if padding and at + 2 < len(lines) else None
        around = [re.match(r'/\* +(\d+) +\| +(\d+) \*/ +union \w*\{', other) for other in lines[:at]]
        if not (size and any(one and one[2] == size[1] and int(one[1]) >= int(size[1]) - int(padding[1])
                             for one in around)):
            kept.append(line)
    return '\n'.join(kept)


def without_repeats(text):
    """Repeated elements one by one, and strings of arrays that are lost in part stay as they are."""
    return re.sub(r'([^,{}]+) <repeats (\d+) times>', lambda found: ', '.join([found[1]] * min(int(found[2]), 1000)), text)


def as_ada(text):
    """Symbols as gdb has them, which takes what could be a name of Ada's for one: a__b is a.b, and a.1 is a."""
    def decode(found):
        return found[1] + re.sub(r'\.\d+$', '', found[2]).replace('__', '.') + found[3]
    text = re.sub(r'(<)([a-z][\w.]*)((?:\+\d+)?>)', decode, text)
    return re.sub(r'(\bin |^#\d+ +|^)([a-z]\w*\.\w[\w.]*)( \(| in section | \+ \d+ in section )', decode, text)


def as_said_before(text):
    return re.sub(r'^(\d+)\t(.*): No such file or directory\.$', r'\1\tin \2', text)


def as_whole_string(text):
    text = re.sub(r"'(\\\d\d\d)' <repeats (\d+) times>, <incomplete sequence \1>",
                  lambda found: f"'{found[1]}' <repeats {int(found[2]) + 1} times>", text)
    return re.sub(r'(", |)<incomplete sequence ([^>]*)>', lambda found: found[2] + '"' if found[1] else f'"{found[2]}"', text)


def without_parameters(text):
    """What a class template's parameters stand for in their place: "class box<int> [with T = int]" says it itself."""
    for listed in re.findall(r' \[with ([^\]]*)\]', text):
        text = text.replace(f' [with {listed}]', '')
        for name, value in re.findall(r'(\w+) = ((?:[^,<]|<[^>]*>)+)', listed):
            text = re.sub(rf'\b{name}\b', value, text)
    return text


def fills(shorter, longer):
    """Is `shorter` what `longer` is, but for values that it calls optimised out?"""
    if LOST not in shorter:
        return False
    pattern = re.escape(shorter).replace(re.escape(LOST), r'[^\n]+?')
    return re.fullmatch(pattern, longer) is not None


def refused(command, answer):
    """Is that no answer but a sentence why there is none?"""
    if command.startswith(('print', 'output')):
        return not answer.startswith('$N = ')
    if command.startswith(('whatis', 'ptype')):
        return not answer.startswith(('type = ', '/*'))
    if command.startswith('x/'):
        return not re.match(r'(=> |   )?0x', answer)
    return False


def judge(command, theirs, ours, witness):
    """('same' | 'excused' | 'refused' | 'left out' | 'more' | 'differ', the names of the reasons)."""
    if theirs == ours:
        return 'same', set()
    if ours.startswith('*** '):
        return 'differ', set()
    if refused(command, theirs) and refused(command, ours):
        return 'refused', set()
    one = Judge(witness)
    one.whole(command, theirs, ours)
    return one.worst, one.reasons
