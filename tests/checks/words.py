#!/usr/bin/env python3
"""Things that no line of the tree may hold: unfinished work, paths of one machine, white space at the end of a line."""

import re
import sys

from files import ROOT, tracked

# Put together here so that this file passes its own check.
RULES = [
    (re.compile(r'\b(' + '|'.join(['TO' + 'DO', 'FIX' + 'ME', 'X' + 'XX:', 'HA' + 'CK:']) + r')\b'), 'unfinished work: finish it'),
    (re.compile(r'(?<![\w.])/(' + 'wo' + 'rk|ho' + 'me/[a-z]+|ro' + r'ot)/'), 'a path of one machine: make it relative'),
    (re.compile(r'deb\.' + r'debian\.org|registry\.' + r'npmjs'), 'the host of a package registry: apt knows it'),
    (re.compile(r'[ \t]+$'), 'white space at the end of the line'),
]


def complaints(text):
    return [(number, why) for number, line in enumerate(text.split('\n'), 1) for rule, why in RULES if rule.search(line)]


def main():
    failures = 0
    names = tracked()
    for name in names:
        data = (ROOT / name).read_bytes()
        # A recorded packet may well be empty: its line then ends in the blank behind its direction.
        if b'\0' in data or '/corpus/' in name or name.endswith('.trace'):
            continue
        text = data.decode(errors='replace')
        for number, why in complaints(text):
            print(f'{name}:{number}: {why}')
            failures += 1
        if text and not text.endswith('\n'):
            print(f'{name}: no newline at the end')
            failures += 1
    print(f'{len(names)} files: {failures} complaints')
    return failures != 0 or not names


if __name__ == '__main__':
    sys.exit(main())
