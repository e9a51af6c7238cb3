#!/usr/bin/env python3
"""docs/GDB_USERS.md is true: commands that it calls the same are there, those that it calls not there are not."""

import pathlib
import re
import sys

from harness import Failure, main

PAGE = pathlib.Path(__file__).resolve().parents[2] / 'docs/GDB_USERS.md'
UNKNOWN = re.compile(r'^Undefined (info |catch |thread |save )?command: |is not known', re.M)


def commands(title):
    """The commands in the second column of the table under a title."""
    text = PAGE.read_text().split(f'## {title}\n')[1].split('\n## ')[0]
    rows = [line.split('|')[2] for line in text.splitlines() if line.startswith('|')][2:]
    found = [word for row in rows for word in re.findall(r'`([a-z][^`]*)`', row)]
    if len(found) < 10:
        raise Failure(f'{title}: only {len(found)} commands were found')
    return found


def is_known(place, command):
    done = place.run('-nx', '-q', '--batch', '-ex', f'help {command}')
    return not UNKNOWN.search(done.stdout + done.stderr)


def test_what_is_the_same_is_there(place):
    missing = [command for command in commands('The same') if not is_known(place, command)]
    if missing:
        raise Failure(f'not there: {missing}')


def test_what_is_not_there_is_not(place):
    there = [command for command in commands('Not there') if is_known(place, command)]
    if there:
        raise Failure(f'there by now, move them: {there}')


if __name__ == '__main__':
    sys.exit(main(sys.modules[__name__]))
