#!/usr/bin/env python3
"""The tests of `trapline kvm` on a real KVM: on this machine's, where debugging works in it, else in machines that the tests
bring with them (machine.py). run.py --build FOLDER [--part fast|scenes|conformance|svm|linux|faults]... [--on here|bochs|svm]"""

import argparse
import collections
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import time

import image
import machine

ROOT = image.ROOT
HERE = image.HERE
TOTALS = re.compile(r'^(\d+) passed, (\d+) failed')
STILL = 400  # seconds without a line are too many, wherever it runs
PARTS = {}

passed = failed = 0


def check(what, good, shown=''):
    global passed, failed
    passed += bool(good)
    failed += not good
    print(f'{"ok" if good else "FAILED"} {what}', flush=True)
    if not good and shown:
        print('    ' + shown.replace('\n', '\n    '), flush=True)


def programs(options):
    """{place in the machine: bytes} of all that the parts have in common: this build's program, guests, Python with the tests."""
    build, folder = options.build, options.folder
    files = image.with_libraries(build / 'trapline', 'build/trapline', folder)
    for path in sorted((build / 'tests/kvm').iterdir()):
        if path.is_file() and path.name in ('crowd', 'modes', 'modes.symbols', 'fixture'):
            files[f'build/tests/kvm/{path.name}'] = path.read_bytes()
    sources = [ROOT / 'tests/conformance', HERE]  # `run` is the former's
    files.update(image.python(['run', 'inside', 'drivers.kvm'], sources, folder))
    return files


def probe(options):
    return image.compile_static([HERE / 'probe.c'], options.folder / 'probe', '-lpthread')


def usable_here(options):
    """Whether this machine's own KVM does all that the tests need."""
    if not os.access('/dev/kvm', os.R_OK | os.W_OK):
        return False, 'there is no /dev/kvm that may be opened'
    run = subprocess.run([probe(options)], stdout=subprocess.PIPE, text=True, timeout=60, check=False)
    lacks = [line for line in run.stdout.splitlines() if line.endswith('no') or ' no ' in line]
    return run.returncode == 0, 'its KVM lacks: ' + '; '.join(line.removeprefix('probe: ')[:40] for line in lacks)


def read_lines(stream, what, seconds, last=list, results=None):
    """What a part says, as it says it, and its totals. A line `results {…}` is for a machine to read: it goes to that file."""
    global passed, failed
    told = False
    for line in stream(seconds):
        found = TOTALS.match(line)
        if found:
            passed, failed, told = passed + int(found[1]), failed + int(found[2]), True
        elif results and line.startswith('results {'):
            results.write_text(json.dumps(json.loads(line.removeprefix('results ')), indent=1) + '\n')
        else:
            print(line, flush=True)
    if not told:
        check(f'{what}: it came to its end', False, 'the last that was said:\n' + '\n'.join(last()))


def run_in(kind, options, name, words, files, seconds, results=None):
    """Runs a command in a machine of its own; what it prints is ours."""
    folder = options.folder / '-'.join([kind, name, *(options.cpus.split(',') if options.cpus else [])])  # Bochs takes no commas
    folder.mkdir(parents=True, exist_ok=True)
    image.make(folder / 'files', options.folder, files | {'command': '\n'.join(words).encode()})
    size = (folder / 'files').stat().st_size >> 20
    begin = time.monotonic()
    seen = collections.deque(maxlen=30)

    def lines(limit):
        until = time.monotonic() + limit
        with open(folder / 'serial.log', 'wb') as log, machine.MACHINES[kind](
                folder, image.kernel(options.folder), folder / 'files', memory=384 + 3 * size, log=log) as guest:
            while (line := guest.next_line(min(until, time.monotonic() + STILL * options.patience), name)) is not None:
                seen.append(line)
                ended = machine.ENDED.match(line)
                if ended:
                    break
                if line and not line.startswith('['):
                    yield line

    print(f'-- {name} in {machine.MACHINES[kind].name}', flush=True)
    try:
        read_lines(lines, name, seconds, lambda: seen, results)
    except machine.Silent as why:
        check(f'{name} in {machine.MACHINES[kind].name}', False, str(why))
    print(f'-- {name}: {time.monotonic() - begin:.0f} seconds', flush=True)


def run_here(options, name, words, seconds):
    """Runs a command on this machine's KVM."""
    print(f'-- {name} here', flush=True)
    try:
        run = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=seconds, check=False,
                             stdin=subprocess.DEVNULL)
    except subprocess.TimeoutExpired as late:
        check(f'{name} here', False, f'it took more than {seconds} seconds:\n{(late.output or b"").decode(errors="replace")[-3000:]}')
        return
    read_lines(lambda _: iter(run.stdout.splitlines()), name, seconds)


def inside(options, place, *more):
    """The command that runs scenes."""
    if place == 'here':
        return ['python3', str(HERE / 'inside.py'), '--trapline', str(options.build / 'trapline'), '--guests',
                str(options.build / 'tests/kvm'), *more]
    return ['/usr/bin/python3', '-S', '-E', '/tests/inside.pyc', '--trapline', '/build/trapline', '--guests', '/build/tests/kvm', *more]


def part(name, seconds):
    """Registers a part, with the seconds that it may take."""
    def register(function):
        PARTS[name] = function, seconds
        return function
    return register


def scenes(options, name, seconds, *more):
    words = [word for scenario in options.scenario for word in ('--scenario', scenario)]
    words += [word for scenario in options.skip for word in ('--skip', scenario)]
    words += ['--cpus', options.cpus] if options.cpus else []
    words += ['--trace', options.trace] if options.trace else []
    words += ['--seconds', options.seconds] if options.seconds else []
    if options.on == 'here':
        run_here(options, name, inside(options, 'here', *more, *words), seconds)
    else:
        run_in('bochs', options, name, inside(options, 'bochs', *more, *words), programs(options), seconds)


@part('fast', 400)
def fast(options, seconds):
    """What `make check` has: the scenes that others fail, with two processors."""
    scenes(options, 'fast', seconds, '--fast', '--cpus', '2', '--seconds', '120')


@part('scenes', 900)
def every_scene(options, seconds):
    """Every scene, with one, two and four processors."""
    scenes(options, 'scenes', seconds)


@part('svm', 300)
def svm(options, seconds):
    """What needs no breakpoint, in QEMU's emulation of the other make of processor."""
    if options.on != 'here':
        run_in('svm', options, 'svm', inside(options, 'svm', '--no-points', '--seconds', '200'), programs(options), seconds)


@part('conformance', 900)
def conformance(options, seconds):
    """The scenarios of the process target that a machine has a use for."""
    results = options.build / 'tests/kvm/conformance.json'
    if options.on == 'here':
        run_here(options, 'conformance', ['python3', str(ROOT / 'tests/conformance/run.py'), '--driver', 'kvm', '--build', str(options.build),
                                          '--json', str(results)], seconds)
    else:
        driver = 'kvm-without-points' if options.on == 'svm' else 'kvm'
        words = [word for scenario in options.scenario for word in ('--scenario', scenario)]
        run_in(options.on, options, 'conformance', ['/usr/bin/python3', '-S', '-E', '/tests/run.pyc', '--driver', driver, '--build', '/build',
                                                    '--json', '-', *words], programs(options), seconds, results)


def linux_in(options, kind, name, words, seconds):
    """Debian's kernel as a guest, in such a machine."""
    files = programs(options)
    files['build/tests/kvm/linux'] = image.kernel(options.folder).read_bytes()
    files['build/tests/kvm/linux.files'] = image.guest_files(options.folder).read_bytes()
    files.update(image.with_libraries(image.gdb(options.folder), 'usr/bin/gdb', options.folder))
    run_in(kind, options, name, inside(options, kind, '--cpus', '2', *words, *(['--no-points'] if kind != 'bochs' else [])), files, seconds)


@part('linux', 1800)
def linux(options, seconds):
    """Debian's kernel as a guest, with its first process."""
    words = [word for scenario in options.scenario or ['linux'] for word in ('--scenario', scenario)]
    if options.on == 'here':
        print('-- Linux as a guest needs the same kernel around it, for its symbols: in Bochs')
    linux_in(options, 'svm' if options.on == 'svm' else 'bochs', 'linux', [*words, '--skip', 'minutes'], seconds)


@part('time', 600)
def time_stands(options, seconds):
    """A stop of minutes, which pass faster in Bochs than here: nobody has anything to do meanwhile."""
    linux_in(options, 'bochs', 'time', ['--scenario', 'minutes'], seconds)


@part('faults', 600)
def faults(options, seconds):
    """Each call to KVM refused in its turn."""
    kind = options.on
    program, guest = options.build / 'tests/fault/fault-kvm', options.build / 'tests/kvm/crowd'
    if kind == 'here':
        run_here(options, 'faults', [program, guest], seconds)
        return
    files = image.with_libraries(program, 'fault-kvm', options.folder) | {'guest': guest.read_bytes()}
    run_in(kind, options, 'faults', ['/fault-kvm', *(['--no-points'] if kind == 'svm' else []), '/guest', *options.scenario], files, seconds)


@part('probe', 120)
def probe_alone(options, seconds):
    """What KVM itself can do there, without Trapline."""
    run_in(options.on if options.on != 'here' else 'bochs', options, 'probe', ['/probe', 'all'], {'probe': probe(options).read_bytes()}, seconds)


def sanitized(build):
    """Whether this build's programs carry a sanitizer, which takes more memory than a machine in a machine has."""
    try:
        settings = json.loads((build / 'meson-info/intro-buildoptions.json').read_text())
    except OSError:
        return False
    return any(setting['name'] == 'b_sanitize' and setting['value'] != 'none' for setting in settings)


def choose_place(options):
    """Where it runs: on this machine when its KVM is good enough."""
    if options.on is None:
        good, why = usable_here(options)
        options.on = 'here' if good else 'bochs'
        if not good:
            print(f'-- not here: {why}', flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split('\n', maxsplit=1)[0])
    parser.add_argument('--build', default='build', help='its kvm-machine holds what is fetched and made')
    parser.add_argument('--part', action='append', default=[], choices=sorted(PARTS) + ['all'])
    parser.add_argument('--on', choices=['here', 'bochs', 'svm'])
    parser.add_argument('--patience', type=float, default=1, metavar='TIMES', help='longer deadlines, for a machine with much else to do')
    parser.add_argument('--cpus', metavar='1,2,4', help='scenes with so many processors only')
    parser.add_argument('--seconds', metavar='N', help='scenes: after so many, as the machine counts them, the processes are shown')
    parser.add_argument('--trace', metavar='WORDS', help="of trapline --trace: failed scenes show their trace's end")
    parser.add_argument('--scenario', action='append', default=[], metavar='WORD')
    parser.add_argument('--skip', action='append', default=[], metavar='WORD', help='scenes: not those')
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit('ended by a signal'))  # machines end with us
    options.build = pathlib.Path(options.build).resolve()
    options.folder = options.build / 'kvm-machine'
    options.folder.mkdir(exist_ok=True)
    if options.on != 'here' and sanitized(options.build):
        print('skipped: a build with a sanitizer is too large for the machines that tests bring\n0 passed, 0 failed')
        return 0
    wanted = ['svm', 'scenes', 'conformance', 'linux', 'time'] if 'all' in options.part else options.part or ['fast']
    try:
        choose_place(options)
        if options.on != 'here':
            machine.Bochs.available()
            image.kernel(options.folder)
        for name in wanted:
            function, seconds = PARTS[name]
            function(options, seconds * options.patience)
    except (image.Missing, machine.Missing) as why:
        print(f'the machine cannot be had: {why}')
        check('a machine with KVM', False, str(why))
    print(f'{passed} passed, {failed} failed')
    return 1 if failed or not passed else 0


if __name__ == '__main__':
    sys.exit(main())
