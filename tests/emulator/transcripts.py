"""What debuggers print when they are driven from their command lines, and whether it is what is wanted."""

import re
import subprocess

DEADLINE = 60
FAILED = []  # what did not go as it should; a test's exit status says whether there is any


def fail(what, text):
    FAILED.append(what)
    print(f"not ok {what}\n{text}")


def words(commands):
    """Commands as gdb and trapline take them on the command line."""
    return [word for command in commands for word in ("-ex", command)]


def run(command, what):
    """All that a program prints."""
    try:
        return subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              timeout=DEADLINE, check=False, text=True, errors="replace").stdout
    except subprocess.TimeoutExpired as late:
        fail(what, f"did not end: {late.output}")
        return ""


def check(text, patterns, what):
    """Each pattern is found behind the one before it."""
    at = 0
    for pattern in patterns:
        found = re.compile(pattern, re.M).search(text, at)
        if found is None:
            fail(what, f"no {pattern!r} behind\n{text[max(0, at - 200):at]}\nin\n{text}")
            return
        at = found.end()
    print(f"ok {what}")
