#!/usr/bin/env python3
"""Runs the tests of a build, part by part, and closes with one line: N passed, N failed.

A part is a suite of meson's tests, or a line of tests/parts.txt. Each has a deadline; what hangs is shown (which
process waits where) before it is ended. Of what fails, the output and the one command that runs it again are printed.
Tests in the suite `slow` run with --all only.

With --again, what failed is run once more, by itself. What then passes is unstable: it is shown in full and named at the
end, and more than two of them fail the run.
"""

import argparse
import json
import os
import pathlib
import re
import shlex
import signal
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
TOTALS = re.compile(rb'^(\d+) passed, (\d+) failed', re.MULTILINE)
SETTINGS = {  # a sanitizer's finding must fail the test, with a stack
    'ASAN_OPTIONS': 'detect_stack_use_after_return=1:strict_string_checks=1',
    'UBSAN_OPTIONS': 'halt_on_error=1:print_stacktrace=1',
    'TSAN_OPTIONS': 'halt_on_error=1:second_deadlock_stack=1',
}


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.split('\n\n')[0])
    parser.add_argument('--build', default='build')
    parser.add_argument('--all', action='store_true', help='the slow tests too')
    parser.add_argument('--again', action='store_true', default=os.environ.get('CHECK_AGAIN') == '1',
                        help='run what failed once more, alone (or CHECK_AGAIN=1)')
    parser.add_argument('--only', default='', help='comma-separated parts')
    parser.add_argument('--skip', default='', help='comma-separated parts')
    parser.add_argument('--list', action='store_true', help='print the parts and end')
    return parser.parse_args()


def show_waiting(group):
    """Prints every process of a group, with what it waits for."""
    print('    who waits for what:')
    for entry in pathlib.Path('/proc').iterdir():
        if not entry.name.isdigit():
            continue
        try:
            fields = (entry / 'stat').read_text().rpartition(')')[2].split()
            if int(fields[2]) != group and int(fields[3]) != group:
                continue
            command = (entry / 'cmdline').read_bytes().replace(b'\0', b' ').decode(errors='replace')[:120]
            where = (entry / 'wchan').read_text()
        except (OSError, ValueError):
            continue
        print(f'      {entry.name:>7} parent {fields[1]:>7} state {fields[0]} in {where:24} {command}')


def run(command, deadline, log):
    """Runs a command in a session of its own, output to a file. Returns its exit status, or None past the deadline."""
    environment = {**os.environ, **{name: os.environ.get(name, value) for name, value in SETTINGS.items()}}
    with open(log, 'wb') as output:
        process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=output,
                                   stderr=subprocess.STDOUT, start_new_session=True, env=environment)
        try:
            return process.wait(timeout=deadline)
        except subprocess.TimeoutExpired:
            show_waiting(process.pid)
            return None
        finally:
            # Whatever a part leaves running must not disturb the next.
            for number in (signal.SIGTERM, signal.SIGKILL):
                try:
                    os.killpg(process.pid, number)
                    process.wait(timeout=5)
                except (ProcessLookupError, subprocess.TimeoutExpired):
                    pass


def tail(text, lines=60):
    return '\n'.join('    ' + line for line in text.rstrip().splitlines()[-lines:])


def count(output, good):
    """Passes and failures as a test tells them in its last totals line; without one, the test itself is one."""
    totals = TOTALS.findall(output)
    passed, failed = (int(number) for number in totals[-1]) if totals else (int(good), 0)
    return passed, failed if good else max(failed, 1)


class MesonSuite:
    def __init__(self, build, name, tests, options):
        self.build, self.name, self.again = build, name, options.again
        self.unstable = []
        tests = [test for test in tests if options.all or not is_slow(test)]
        self.tests = [test['name'] for test in tests]
        # They run at the same time, at the worst one after the other.
        self.deadline = 30 + sum(max(test['timeout'], 1) for test in tests)

    def start(self, base, tests):
        """Runs these tests. Returns meson's exit status, or None past the deadline, and what each test came to."""
        logs = self.build / 'meson-logs'
        command = ['meson', 'test', '-C', str(self.build), '--no-rebuild', '--logbase', base, '--suite', self.name,
                   *tests]
        (logs / f'{base}.json').unlink(missing_ok=True)
        code = run(command, self.deadline, logs / f'{base}.out')
        try:
            return code, [json.loads(line) for line in (logs / f'{base}.json').read_text().splitlines()]
        except (OSError, ValueError):
            return code, []

    def run_again(self, name):
        """Runs one failed test by itself. Returns what it then passed, or None when it failed again."""
        code, results = self.start(f'check-{self.name}-again', [name])
        if code != 0 or len(results) != 1 or results[0]['result'] != 'OK':
            return None
        self.unstable.append(name)
        return count(results[0].get('stdout', '').encode(), True)[0]

    def run(self):
        logs = self.build / 'meson-logs'
        base = f'check-{self.name}'
        code, results = self.start(base, self.tests)
        passed = failed = 0
        for result in results:
            good = result['result'] in ('OK', 'EXPECTEDFAIL', 'SKIP')
            output = result.get('stdout', '').encode()
            plus, minus = (0, 0) if result['result'] == 'SKIP' else count(output, good)
            name = result['name'].split(' / ')[-1]
            if result['result'] == 'SKIP':
                print(f'  {self.name}: {name} skipped: {output.decode(errors="replace").strip()[-200:]}')
            if not good:
                self.show(name, result)
                second = self.run_again(name) if self.again else None
                plus, minus = (plus, minus) if second is None else (second, 0)
            passed, failed = passed + plus, failed + minus
        if len(results) < len(self.tests) or (code != 0 and failed == 0 and not self.unstable):
            what = 'ran past its deadline' if code is None else f'meson ended with status {code}'
            print(f'  {self.name}: {what} after {len(results)} of {len(self.tests)} tests; the end of {base}.out:')
            print(tail((logs / f'{base}.out').read_text(errors='replace')))
            failed += max(len(self.tests) - len(results), 1)
        return passed, failed

    def show(self, name, result):
        print(f'  {self.name}: {name} FAILED ({result["result"].lower()}, exit status {result.get("returncode")}, '
              f'{result["duration"]:.1f} s)')
        lines = result.get('stdout', '').splitlines()
        print(tail('\n'.join(line for line in lines if not line.startswith('ok '))))
        print(tail(result.get('stderr', '')))
        print(f'    run it again:  meson test -C {os.path.relpath(self.build)} -v {shlex.quote(name)}')
        print(f'    or directly:   {shlex.join(result["command"])}', flush=True)


class Command:
    def __init__(self, build, line, options):
        self.build, self.again = build, options.again
        self.unstable = []
        self.name, self.when, deadline, self.needs, command = (field.strip() for field in line.split('|', 4))
        self.deadline = int(deadline)
        self.tests = [self.name]
        self.command = shlex.split(command.replace('{build}', os.path.relpath(build, ROOT)))

    def run(self):
        if self.needs and not (self.build / self.needs).exists():
            print(f'  {self.name}: not run: there is no {self.needs} in {self.build}')
            return 0, 0
        passed, failed = self.attempt()
        if failed and self.again:
            second = self.attempt()
            if second[1] == 0:
                self.unstable.append(self.name)
                return second
        return passed, failed

    def attempt(self):
        log = self.build / 'meson-logs' / f'check-{self.name}.out'
        code = run(self.command, self.deadline, log)
        output = log.read_bytes()
        passed, failed = count(output, code == 0)
        if failed:
            what = f'ran past its deadline of {self.deadline} s' if code is None else f'exit status {code}'
            print(f'  {self.name}: FAILED ({what}); the end of {log}:')
            print(tail(output.decode(errors='replace')))
            print(f'    run it again:  {shlex.join(self.command)}', flush=True)
        return passed, failed


def is_slow(test):
    return any(suite.split(':')[-1] == 'slow' for suite in test['suite'])


def find_parts(build, options):
    listed = subprocess.run(['meson', 'introspect', '--tests', str(build)], check=True, capture_output=True)
    suites = {}
    for test in json.loads(listed.stdout):
        # The first suite that is not `slow` is the part that the test belongs to.
        names = [suite.split(':')[-1] for suite in test['suite']]
        names = [name for name in names if name != 'slow']
        suites.setdefault(names[0] if names else 'slow', []).append(test)
    parts = [MesonSuite(build, name, tests, options) for name, tests in sorted(suites.items())]
    for line in (ROOT / 'tests/parts.txt').read_text().splitlines():
        if line.strip() and not line.startswith('#'):
            part = Command(build, line, options)
            if part.when == 'fast' or options.all:
                parts.append(part)
    names = [part.name for part in parts]
    if len(set(names)) != len(names):
        sys.exit(f'check.py: tests/parts.txt or meson has two parts of one name: {", ".join(sorted(names))}')
    only, skip = ({name for name in text.split(',') if name} for text in (options.only, options.skip))
    unknown = (only | skip) - {part.name for part in parts}
    if unknown & only:
        sys.exit(f'check.py: no part {", ".join(sorted(unknown & only))}: there are '
                 f'{", ".join(part.name for part in parts)}')
    return [part for part in parts if part.tests and part.name not in skip and (not only or part.name in only)]


def main():
    options = parse_arguments()
    build = pathlib.Path(options.build).resolve()
    if not (build / 'build.ninja').exists():
        sys.exit(f'check.py: {options.build} is no build folder: run `make` first.')
    parts = find_parts(build, options)
    if options.list:
        for part in parts:
            print(f'{part.name:20} {len(part.tests):4} tests, deadline {part.deadline} s')
        return 0
    passed = failed = 0
    for part in parts:
        start = time.monotonic()
        plus, minus = part.run()
        print(f'{part.name:16} {plus:6} passed {minus:4} failed {time.monotonic() - start:7.1f} s', flush=True)
        passed, failed = passed + plus, failed + minus
    unstable = [f'{part.name}: {name}' for part in parts for name in part.unstable]
    for name in unstable:
        print(f'UNSTABLE (failed, and passed when run again alone): {name}')
    if len(unstable) > 2:
        print(f'{len(unstable)} unstable tests are too many to be chance: each counts as failed')
        failed += len(unstable)
    print(f'{passed} passed, {failed} failed')
    return failed != 0 or passed == 0


if __name__ == '__main__':
    sys.exit(main())
