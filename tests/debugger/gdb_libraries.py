#!/usr/bin/env python3
"""The libraries of core dumps, with gdb as the referee: gdb_libraries.py LIST_MODULES FUNCTION PROGRAM…

gdb runs each program to the function, dumps it, and says which libraries there are (`info sharedlibrary`).
"""

import re
import subprocess
import sys
import tempfile

LIBRARY = re.compile(r'^(0x[0-9a-f]+)\s+(0x[0-9a-f]+)\s+Yes(?: \(\*\))?\s+(/.*)$')


def ask_gdb(program, function, core):
    done = subprocess.run(['gdb', '-nx', '-batch', '-iex', 'set debuginfod enabled off', '-ex', f'break {function}',
                           '-ex', 'run', '-ex', f'gcore {core}', '-ex', 'info sharedlibrary', '-ex', 'kill', program],
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=100, check=False)
    found = [LIBRARY.match(line) for line in done.stdout.splitlines()]
    return sorted((int(line[1], 16), int(line[2], 16), line[3]) for line in found if line)


def ask_ours(tool, core, program):
    done = subprocess.run([tool, core, program], capture_output=True, text=True, timeout=100, check=False)
    if done.returncode != 0:
        return done.stderr
    lines = [line.split(' ', 2) for line in done.stdout.splitlines()]
    return sorted((int(line[0], 16), int(line[1], 16), line[2]) for line in lines)


def main():
    tool, function, programs = sys.argv[1], sys.argv[2], sys.argv[3:]
    failures = 0
    for program in programs:
        with tempfile.TemporaryDirectory() as folder:
            theirs = ask_gdb(program, function, folder + '/core')
            ours = ask_ours(tool, folder + '/core', program)
        if len(theirs) < 2 or theirs != ours:
            print(f'{program}:\n  gdb:  {theirs}\n  ours: {ours}')
            failures += 1
        print(f'{program}: {len(theirs)} libraries')
    return failures != 0


if __name__ == '__main__':
    sys.exit(main())
