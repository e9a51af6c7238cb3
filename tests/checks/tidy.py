#!/usr/bin/env python3
"""clang-tidy (.clang-tidy in the root) over every C file of a build: tidy.py BUILD [FILE…]"""

import concurrent.futures
import json
import os
import pathlib
import shutil
import subprocess
import sys

from files import ROOT


def check(program, build, name):
    result = subprocess.run([program, '--quiet', '-p', build, name], cwd=ROOT, stdin=subprocess.DEVNULL,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False)
    # What it counted goes to standard error, also when nothing is wrong.
    noise = 'warnings generated.', 'warning generated.'
    errors = '' if result.returncode == 0 else '\n'.join(
        line for line in result.stderr.splitlines() if not line.endswith(noise))
    return name, result.stdout + errors, result.returncode


def main():
    build = os.path.abspath(sys.argv[1])
    program = shutil.which('clang-tidy-14') or shutil.which('clang-tidy')
    if program is None:
        print('no clang-tidy: install it (make setup)')
        return 77
    compiled = json.loads(pathlib.Path(build, 'compile_commands.json').read_text())
    names = sorted({os.path.relpath(os.path.join(entry['directory'], entry['file']), ROOT) for entry in compiled})
    # Tests are exempt: they leave off in the middle when something is not so, and do on purpose what analysers warn of.
    names = [name for name in names if not name.startswith('tests/') or name in sys.argv[2:]]
    names = [name for name in names if name.endswith('.c') and (len(sys.argv) < 3 or name in sys.argv[2:])]
    failed = 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for name, output, code in pool.map(lambda name: check(program, build, name), names):
            if output.strip() or code != 0:
                print(output.strip())
                print(f'run it again:  python3 tests/checks/tidy.py {os.path.relpath(build, ROOT)} {name}', flush=True)
                failed += 1
    print(f'{len(names) - failed} passed, {failed} failed')
    return failed != 0 or not names


if __name__ == '__main__':
    sys.exit(main())
