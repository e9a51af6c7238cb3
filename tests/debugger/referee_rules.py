"""Why an answer of trapline's may differ from gdb's, rule by rule.

A rule takes both answers and gives them back without what it excuses, and nothing else: what is left must be equal, text
for text. A rule that excuses a value does so only where it can tell from the two answers that no value differs. Every
use is counted under the rule's name, and its first line is printed as the reason.
"""

import re

LOST = '<optimized out>'


def rule_entry_value(theirs, ours):
    """trapline tells the value that an argument had at the function's entry, where gdb does not find it."""
    # Only where gdb tells the value of now, and that is the same in both: what is taken out is the addition.
    ours = re.sub(r'\b(\w+)=\1@entry=', lambda found: found[1] + '=' if f'{found[1]}={found[1]}@entry=' not in theirs
                  else found[0], ours)
    kept = []
    for line in ours.splitlines():
        found = re.match(r'(\w+)@entry = ', line)
        if not found or re.search(f'^{found[1]}@entry = ', theirs, re.MULTILINE):
            kept.append(line)
    return theirs, '\n'.join(kept)


RULES = {name[len('rule_'):]: value for name, value in list(globals().items()) if name.startswith('rule_')}


def refused(command, answer):
    """Is that no answer but a sentence why there is none?"""
    if command.startswith(('print', 'output')):
        return not answer.startswith('$N = ')
    if command.startswith(('whatis', 'ptype')):
        return not answer.startswith(('type = ', '/*'))
    if command.startswith('x/'):
        return not re.match(r'(=> |   )?0x', answer)
    return False


def fills(shorter, longer):
    """Is `shorter` what `longer` is, but for values that it calls optimised out?"""
    if LOST not in shorter:
        return False
    # A value: up to what ends it in a list of arguments or fields, or to the end of its line.
    pattern = re.escape(shorter).replace(re.escape(LOST), r'[^\n]+?')
    return re.fullmatch(pattern, longer) is not None


def judge(command, theirs, ours):
    """('same' | 'excused' | 'refused' | 'left out' | 'more' | 'differ', names of the rules that were needed)."""
    if theirs == ours:
        return 'same', []
    if ours.startswith('*** '):
        return 'differ', []
    if refused(command, theirs) and refused(command, ours):
        return 'refused', []
    used = []
    for name, rule in RULES.items():
        changed = rule(theirs, ours)
        if changed != (theirs, ours):
            used.append(name)
            theirs, ours = changed
            if theirs == ours:
                return 'excused', used
    if fills(ours, theirs):
        return 'left out', used
    if fills(theirs, ours):
        return 'more', used
    return 'differ', used
