"""What sessions with a stub say when something is not as it should be."""

import re


class Failed(AssertionError):
    """What the stub did was wrong."""


def check(truth, what):
    if not truth:
        raise Failed(what)


def expect(text, *patterns):
    """The patterns, in order."""
    at = 0
    for pattern in patterns:
        match = re.compile(pattern, re.MULTILINE).search(text, at)
        check(match, f'/{pattern}/ does not come in:\n{text}')
        at = match.end()
