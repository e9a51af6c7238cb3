#!/usr/bin/env python3
"""Everything that the stubs are tested by: `make check-stub`. Ends with "N passed, N failed"."""

import argparse
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
SESSIONS, CONFORMANCE = 'tests/stub/sessions.py', 'tests/conformance/run.py'
# Each ends with that line itself, or counts as one test; 77: what it needs is not installed.
PARTS = [
    [SESSIONS, '--cpu', 'x86-64'],
    [SESSIONS, '--cpu', 'arm64'],
    [SESSIONS, '--cpu', 'arm64-max'],
    [CONFORMANCE, '--driver', 'baremetal'],
    [CONFORMANCE, '--driver', 'baremetal-arm64'],
]
DEADLINE = 1800


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--build', default=str(ROOT / 'build'))
    options = parser.parse_args()
    passed = failed = 0
    for part in PARTS:
        print('--', *part, flush=True)
        try:
            done = subprocess.run([sys.executable, str(ROOT / part[0]), *part[1:], '--build', options.build], timeout=DEADLINE,
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
            code, text = done.returncode, done.stdout.decode('utf-8', 'replace')
        except subprocess.TimeoutExpired as error:
            code, text = 1, (error.stdout or b'').decode('utf-8', 'replace') + f'it did not end in {DEADLINE} s\n'
        if code == 77:
            print('skipped:', text.strip())
            continue
        print(text if code != 0 else text.splitlines()[-1], flush=True)
        found = re.search(r'^(\d+) passed, (\d+) failed', text, re.MULTILINE)
        passed += int(found[1]) if found else code == 0
        failed += max(int(found[2]) if found else 0, code != 0)
    print(f'{passed} passed, {failed} failed')
    return failed != 0


if __name__ == '__main__':
    sys.exit(main())
