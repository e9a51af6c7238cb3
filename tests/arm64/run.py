#!/usr/bin/env python3
"""Processes of 64-bit Arm in a machine of their own: run.py --build BUILD [--arm64 FOLDER] [--fast] [WORD...]

The server is built for arm64 and started in the guest that arm64_machine.py boots: the conformance scenarios, the corners of
corners.py, Trapline's prompt and what gdb-multiarch says to the same (arm64_prompt.py), gdb-multiarch and lldb over a forwarded port,
and many threads at once. With words, only the corners whose names contain one, and the prompt with the word `prompt`.
--fast is the part of `make check`: it builds by itself what it needs, into BUILD/arm64."""

import argparse
import os
import pathlib
import re
import shutil
import subprocess
import sys
import time
import traceback

# An emulated processor beside other work: seconds that one answer may take.
os.environ.setdefault('CONFORMANCE_DEADLINE', '60')
import corners  # noqa: E402 pylint: disable=wrong-import-position
import arm64_machine  # noqa: E402 pylint: disable=wrong-import-position
import arm64_prompt  # noqa: E402 pylint: disable=wrong-import-position

ROOT = arm64_machine.ROOT
sys.path.insert(0, str(ROOT / 'tools'))
import archive  # noqa: E402 pylint: disable=wrong-import-position
import arm64  # noqa: E402 pylint: disable=wrong-import-position
import newer_lldb  # noqa: E402 pylint: disable=wrong-import-position

TARGETS = ['trapline-gdbserver-static', 'tests/conformance/fixture', 'tests/arm64/guest-init', 'tests/arm64/guest-corners',
           'tests/arm64/guest-calls', 'tests/arm64/guest-prompt']
FAULT, FAULT_PROGRAM = 'tests/fault/fault', 'tests/stress/stress-crowd'
# Of the calls that fail in turn, in tests/fault/fault.c's words.
FAST_FAULTS = ['launch-detach', 'once', 'fork', 'kill', 'write_process', 'readlink']
FAULTS_DEADLINE = 2400
FAST_SCENARIOS = ['breakpoints', 'hardware', 'step', 'signal', 'syscall', 'fork', 'exec', 'siginfo', 'interrupt', 'description']
FAST_CORNERS_LEFT_OUT = ['watch_odd_sizes', 'relative_instructions_stepped', 'restarted_sleep', 'contended_lock_with_breakpoints_inside']
TOTALS = re.compile(r'^(\d+) passed, (\d+) failed', re.MULTILINE)
CLIENT_DEADLINE = 120

passed = failed = 0


def check(what, good, shown=''):
    """Counts, and shows what was seen when it is not as it should be."""
    global passed, failed
    passed += bool(good)
    failed += not good
    print(f'{"ok" if good else "FAILED"} {what}', flush=True)
    if not good and shown:
        print('    ' + shown.replace('\n', '\n    '), flush=True)


def build(options):
    """Sysroot, kernel, and the programs for the guest."""
    arm64.sysroot(options.debian)
    arm64.kernel(options.debian)
    if not (options.arm64 / 'build.ninja').exists():
        subprocess.run(['meson', 'setup', options.arm64, ROOT, '--cross-file', options.debian / 'sysroot.cross', '--cross-file',
                        ROOT / 'tools/arm64.cross', '-Dstatic_server=true'], check=True, stdout=subprocess.DEVNULL, cwd=ROOT)
    # The fast part does without the prompt, which is most of what there is to compile.
    subprocess.run(['ninja', '-C', options.arm64, *TARGETS, FAULT, FAULT_PROGRAM, *([] if options.fast else ['trapline'])], check=True,
                   stdout=subprocess.DEVNULL)


def guest_files(options):
    """{path in the guest: bytes}."""
    places = {'trapline-gdbserver-static': TARGETS[0], 'fixture': TARGETS[1], 'corners': TARGETS[3], 'guest-calls': TARGETS[4],
              'guest-prompt': TARGETS[5], 'fault': FAULT}
    # It looks for its program where that was built.
    more = {str(options.arm64 / FAULT_PROGRAM).lstrip('/'): (options.arm64 / FAULT_PROGRAM).read_bytes()}
    if not options.fast:
        places['trapline'] = 'trapline'
        more |= arm64_prompt.libraries(options.arm64 / 'trapline')
    return {f'bin/{name}': (options.arm64 / path).read_bytes() for name, path in places.items()} | more


def run_corners(guest, options):
    for function in corners.CORNERS:
        name = function.__name__
        if options.words and not any(word in name for word in options.words):
            continue
        if options.fast and name in FAST_CORNERS_LEFT_OUT:
            continue
        began = time.monotonic()
        try:
            function(guest, options.arm64)
            shown = None
        except AssertionError as why:
            shown = str(why)
        except Exception:  # pylint: disable=broad-except  (a scenario's own mistake must not end the run)
            shown = traceback.format_exc()
        check(f'{name} ({time.monotonic() - began:.1f} s): {function.__doc__}', shown is None, shown)


def run_conformance(guest, options):
    """The scenarios of the x86-64 process target, unchanged, against the server in this guest."""
    global passed, failed
    environment = dict(os.environ, ARM64_PORTS=arm64_machine.ports_text(guest), ARM64_BUILD=str(options.arm64))
    words = [word for scenario in FAST_SCENARIOS for word in ('--scenario', scenario)] if options.fast else []
    for driver in ['process-arm64'] if options.fast else ['process-arm64', 'process-arm64-socket']:
        result = subprocess.run([sys.executable, ROOT / 'tests/conformance/run.py', '--driver', driver, '--build', options.build,
                                 *words], env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
        totals = TOTALS.search(result.stdout)
        if totals is None:
            check(f'conformance scenarios, {driver}', False, result.stdout)
            continue
        passed += int(totals[1])
        failed += int(totals[2])
        print(f'conformance scenarios, {driver}: {totals[0]}', flush=True)
        if int(totals[2]) != 0:
            print(result.stdout)


def serve(guest, *words):
    """A server of ours in the guest that listens at the forwarded port; its name and connection."""
    name, stream = guest.start('/bin/trapline-gdbserver-static', '--once', '--no-startup-with-shell', f'0.0.0.0:{arm64_machine.SERVER}',
                               '/bin/corners', *words, errors=True)
    stream.settimeout(CLIENT_DEADLINE)
    said = b''
    while b'Listening' not in said and (part := stream.recv(4096)):
        said += part
    return name, stream


def run_client(guest, command, what, expected):
    """A debugger of this machine over the forwarded port; all expected texts must be in what it prints, in that order."""
    name, stream = serve(guest, 'exclusive')
    try:
        result = subprocess.run([str(word) for word in command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                stderr=subprocess.STDOUT, text=True, timeout=CLIENT_DEADLINE, check=False)
        shown = result.stdout
    except subprocess.TimeoutExpired as hang:
        shown = f'{(hang.stdout or b"").decode(errors="replace")}\nit did not end'
    stream.close()
    guest.end(name, 1)
    at = 0
    for text in expected:
        found = re.compile(text).search(shown, at)
        if found is None:
            check(what, False, f'no "{text}" in:\n{shown}')
            return
        at = found.end()
    check(what, True)


def gdb_multiarch(guest, options):
    gdb = shutil.which('gdb-multiarch')
    if gdb is None:
        check('gdb-multiarch is there', False)
        return
    lines = ['set pagination off', 'set confirm off', f'target remote 127.0.0.1:{guest.ports[arm64_machine.SERVER]}',
             'break *&exclusive_load if shared == 3', 'continue', 'backtrace', 'print shared', 'stepi', 'print/x $pc == (long)&exclusive_load',
             'delete 1', 'watch shared', 'continue', 'info registers pc cpsr', 'print $v0.d.u[0]', 'delete', 'continue']
    command = [gdb, '-q', '-nx', '-batch', options.arm64 / 'tests/arm64/guest-corners']
    for line in lines:
        command += ['-ex', line]
    run_client(guest, command, 'gdb-multiarch: a condition, frames, a step over an exclusive sequence, a watchpoint, registers, the end',
               [r'Breakpoint 1,', r'#0 .*exclusive_', r'do_exclusive', r'\$1 = 3', r'\$2 = 0x0', r'atchpoint 2: shared', r'Old value = ',
                r'New value = ', r'pc +0x', r'\$3 = ', r'exited normally'])


def lldb(guest, options):
    found = newer_lldb.find() or shutil.which('lldb')
    if found is None:
        check('lldb is there', False)
        return
    # The machine may let a store fail, and the program tries again: what is in memory is asked behind the sequence.
    lines = [f'gdb-remote 127.0.0.1:{guest.ports[arm64_machine.SERVER]}', 'breakpoint set -n exclusive_add', 'continue', 'thread backtrace',
             'register read x0 x1 pc', 'thread step-inst', 'breakpoint delete -f', 'breakpoint set -n exclusive_end', 'continue',
             'memory read -s 8 -c 1 -f x &shared', 'breakpoint delete -f', 'continue']
    command = [found, '-x', '--batch', options.arm64 / 'tests/arm64/guest-corners']
    for line in lines:
        command += ['-o', line]
    run_client(guest, command, 'lldb: a breakpoint, frames, registers, steps over an exclusive sequence, memory, the end',
               [r'stop reason = breakpoint', r'frame #0: .*exclusive_', r'corners.c:\d+', r'x0 = 0x', r'instruction step into', r'0x0000000000000001', r'exited with status = 0'])


def run_crowd(guest, options):
    threads, rounds = (50, 3) if options.fast else (50, 25)
    try:
        check('exclusive sequences and storms of signals, ' + corners.crowd(guest, options.arm64, threads, rounds), True)
    except Exception:  # pylint: disable=broad-except
        check(f'{threads} threads in exclusive sequences and storms of signals', False, traceback.format_exc())


def run_faults(guest, options):
    """Calls to the system fail in turn, beneath the engine and the process target."""
    global passed, failed
    began = time.monotonic()
    status, output, errors = guest.run('/bin/fault', *(FAST_FAULTS if options.fast else []), seconds=FAULTS_DEADLINE)
    totals = TOTALS.search(output)
    if totals is None:
        check('failing calls', False, f'status {status}: {output}{errors}')
        return
    passed += int(totals[1])
    failed += int(totals[2])
    print(f'failing calls ({time.monotonic() - began:.0f} s): {totals[0]}', flush=True)
    if int(totals[2]) != 0:
        print(output)


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.split('\n\n')[0])
    parser.add_argument('--build', default='build', help='the build folder of this machine')
    parser.add_argument('--arm64', help='the build folder for arm64 (default: build-arm64; with --fast: in the build folder)')
    parser.add_argument('--fast', action='store_true', help='the part of make check')
    parser.add_argument('words', nargs='*', help='only the corners whose names contain one of them')
    options = parser.parse_args()
    options.build = pathlib.Path(options.build).resolve()
    options.arm64 = pathlib.Path(options.arm64 or (options.build / 'arm64' if options.fast else ROOT / 'build-arm64')).resolve()
    options.debian = arm64.store()
    return options


def main():
    options = parse_arguments()
    try:
        began = time.monotonic()
        build(options)
        print(f'built in {time.monotonic() - began:.0f} s', flush=True)
        with arm64_machine.boot(options.arm64, guest_files(options)) as guest:
            check(f'the machine boots ({guest.boot_seconds:.1f} s)', True)
            run_corners(guest, options)
            if not options.words or 'prompt' in options.words:
                arm64_prompt.run(guest, options, check)
            for step in [] if options.words else [gdb_multiarch, lldb, run_crowd, run_faults]:
                step(guest, options)
            if not options.words:
                run_conformance(guest, options)
    except (archive.Missing, arm64_machine.Broken, subprocess.CalledProcessError) as why:
        check('the machine is there', False, str(why))
    print(f'{passed} passed, {failed} failed')
    return failed != 0


if __name__ == '__main__':
    sys.exit(main())
