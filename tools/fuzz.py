#!/usr/bin/env python3
"""Runs every fuzzer of a build (-Dfuzz=true) for some seconds, from the corpus in tests/fuzz/corpus/NAME.

What a fuzzer finds is left in BUILD/findings/NAME, with the command that repeats it. New inputs that reach new code go
to BUILD/corpus/NAME, and with --keep, smallest first and without those that add nothing, into tests/fuzz/corpus/NAME.
"""

import argparse
import os
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.split('\n\n')[0])
    parser.add_argument('--build', default='build-fuzz')
    parser.add_argument('--seconds', type=int, default=600, help='for each fuzzer')
    parser.add_argument('--only', default='', help='comma-separated names')
    parser.add_argument('--keep', action='store_true', help='add what was learned to tests/fuzz/corpus')
    return parser.parse_args()


def environment():
    settings = {'ASAN_OPTIONS': 'abort_on_error=1:detect_stack_use_after_return=1',
                'UBSAN_OPTIONS': 'halt_on_error=1:print_stacktrace=1'}
    return {**os.environ, **{name: os.environ.get(name, value) for name, value in settings.items()}}


def run_one(program, options):
    """Returns how many inputs ran, and the findings."""
    name = program.name.removeprefix('fuzz-')
    build = pathlib.Path(options.build).resolve()
    seeds, learned, findings = ROOT / 'tests/fuzz/corpus' / name, build / 'corpus' / name, build / 'findings' / name
    for folder in (seeds, learned, findings):
        folder.mkdir(parents=True, exist_ok=True)
    before = set(findings.iterdir())
    command = [program, learned, seeds, f'-max_total_time={options.seconds}', '-timeout=30', '-rss_limit_mb=2048',
               '-malloc_limit_mb=1024', f'-artifact_prefix={findings}/', '-print_final_stats=1', '-verbosity=1']
    log = findings.parent / f'{name}.log'
    with open(log, 'wb') as output:
        try:
            code = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
                                  env=environment(), timeout=options.seconds + 120).returncode
        except subprocess.TimeoutExpired:
            code = 'none: it did not end by itself'
    text = log.read_text(errors='replace')
    runs = re.search(r'stat::number_of_executed_units: *(\d+)', text)
    new = sorted(set(findings.iterdir()) - before)
    if code != 0:
        print(f'{name}: FAILED, exit status {code}; the end of {log}:')
        print('\n'.join('    ' + line for line in text.splitlines()[-60:]))
        for finding in new:
            print(f'    repeat it:  {program} {finding}')
    elif options.keep:
        subprocess.run([program, '-merge=1', seeds, learned], check=False, stdin=subprocess.DEVNULL,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=options.seconds + 600)
    return int(runs.group(1)) if runs else 0, code == 0


def main():
    options = parse_arguments()
    only = [name for name in options.only.split(',') if name]
    programs = sorted(path for path in (pathlib.Path(options.build).resolve() / 'tests/fuzz').glob('fuzz-*')
                      if path.is_file() and os.access(path, os.X_OK))
    programs = [program for program in programs if not only or program.name.removeprefix('fuzz-') in only]
    if not programs:
        sys.exit(f'fuzz.py: no fuzzer in {options.build}: run `make fuzz`, or build with -Dfuzz=true.')
    passed = failed = 0
    for program in programs:
        runs, good = run_one(program, options)
        print(f'{program.name:24} {runs:10} inputs in {options.seconds} s: {"no finding" if good else "FAILED"}', flush=True)
        passed, failed = passed + good, failed + (not good)
    print(f'{passed} passed, {failed} failed')
    return failed != 0


if __name__ == '__main__':
    sys.exit(main())
