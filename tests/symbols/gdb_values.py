#!/usr/bin/env python3
"""gdb as the referee of values: programs are stopped at their lines, and the variables of all frames compared.

    gdb_values.py VALUES STOPS PROGRAM…       VALUES is the test program tests/symbols/values

What both show must be the same. What only one of the two shows is counted; we show a value at a function's entry only
if the call that led to it surely was of this function.
"""

import os
import pathlib
import re
import shutil
import subprocess
import sys

INSIDE = pathlib.Path(__file__).resolve().parent / 'inside_gdb.py'


def main():
    values, stops, *programs = sys.argv[1:]
    if shutil.which('gdb') is None:
        print('no gdb: install it (make setup)')
        return 77
    passed = failed = 0
    for program in programs:
        result = subprocess.run(['gdb', '-nx', '-nh', '-q', '--batch', '-x', str(INSIDE), program], check=False,
                                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                                timeout=300, env={**os.environ, 'VALUES': os.path.abspath(values), 'STOPS': stops})
        counts = re.search(r'^COUNTS (\d+) (\d+) (\d+)$', result.stdout, re.MULTILINE)
        if counts is None:
            print(f'{program}: gdb did not come to an end:\n{result.stdout[-2000:]}')
            failed += 1
            continue
        for line in result.stdout.splitlines():
            if line.startswith('VERDICT '):
                print(f'{os.path.basename(program)}: {line.removeprefix("VERDICT ")}')
            elif line.startswith(program) or line.startswith(os.path.abspath(program)):
                print(line)
        passed += int(counts[1]) + int(counts[2]) - int(counts[3])
        failed += int(counts[3])
    print(f'{passed} passed, {failed} failed')
    return failed != 0 or passed == 0


if __name__ == '__main__':
    sys.exit(main())
