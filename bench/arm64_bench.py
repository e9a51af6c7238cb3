"""The bench inside a machine of 64-bit Arm: Debian's gdbserver for it and ours under the same packets, in one guest.

The machine is the one that the tests boot (tests/arm64/arm64_machine.py), with one processor and `-icount shift=0,sleep=off`: the
guest's clock goes one nanosecond for each instruction, and what it tells is a number of instructions: of the client, the
server, the program, and the kernel between them. An emulator's microseconds mean nothing; such counts are nearly the same
whatever else this machine does.
"""

import json
import os
import pathlib
import shutil
import subprocess
import sys

from table import OURS, Aim

ROOT = pathlib.Path(__file__).resolve().parent.parent
for part in ('tests/arm64', 'tools'):
    sys.path.insert(0, str(ROOT / part))
import archive  # noqa: E402 pylint: disable=wrong-import-position
import arm64  # noqa: E402 pylint: disable=wrong-import-position
import arm64_machine  # noqa: E402 pylint: disable=wrong-import-position

OTHER = 'gdbserver'
COUNTING = ('-icount', 'shift=0,sleep=off')
TARGETS = {'trapline-gdbserver': 'trapline-gdbserver', 'trapline-bench': 'bench/trapline-bench', 'bench-hot': 'bench/bench-hot',
           'bench-threads': 'bench/bench-threads'}
INIT = 'tests/arm64/guest-init'
PREFIX = 'arm64-'
# What the clock tells in microseconds are thousands of instructions here, in milliseconds millions.
UNITS = {'us': '1000 ins', 'ms': 'mio ins', 'MiB': 'MiB'}
DEADLINE = 3600
# Memory is no speed.
AIMS = {PREFIX + name: Aim(None) for name in ('memory', 'memory-threads')}


def build(options):
    """Folder of arm64 programs; the packages that they take are fetched the first time. Raises archive.Missing."""
    debian = arm64.store()
    folder = pathlib.Path(options.build).resolve() / 'arm64'
    arm64.sysroot(debian)
    arm64.kernel(debian)
    if not (folder / 'build.ninja').exists():
        subprocess.run(['meson', 'setup', folder, ROOT, '--cross-file', debian / 'sysroot.cross', '--cross-file',
                        ROOT / 'tools/arm64.cross', '-Dstatic_server=true'], check=True, stdout=subprocess.DEVNULL, cwd=ROOT)
    subprocess.run(['ninja', '-C', folder, *TARGETS.values(), INIT], check=True, stdout=subprocess.DEVNULL)
    return debian, folder


def command(options):
    """trapline-bench in the guest."""
    words = ['/bin/trapline-bench', '--fixtures', '/bin', '--server', f'{OTHER}=gdbserver-no-shell:/bin/gdbserver', '--server',
             f'{OURS}=gdbserver-no-shell:/bin/trapline-gdbserver']
    wanted = [name.removeprefix(PREFIX) for name in options.rows.split(',') if name.startswith(PREFIX)]
    if options.quick:
        words += ['--rounds', '1', '--turns', '50', '--cycles', '20', '--threads', '20']
    else:
        words += ['--rounds', str(options.arm64_rounds), '--threads', str(options.arm64_threads)]
    return words + (['--rows', ','.join(wanted)] if wanted else [])


def collect(text):
    """The rows of what trapline-bench printed, under names of their own."""
    rows = {}
    for line in text.splitlines():
        entry = json.loads(line)
        row = rows.setdefault(PREFIX + entry['row'], {'unit': UNITS[entry['unit']], 'what': entry['what'], 'servers': {}})
        row['servers'][entry['server']] = entry.get('samples') or entry['missing']
    return rows


def measure(options):
    """The rows, in the form of table.py; and the names of the servers. None where the machine cannot be had."""
    names = [OTHER, OURS]
    if shutil.which('qemu-system-aarch64') is None or shutil.which('clang') is None:
        print('arm64: left out: qemu-system-aarch64 or clang is not here', file=sys.stderr)
        return {}, names
    try:
        debian, folder = build(options)
    except archive.Missing as why:
        print(f'arm64: left out: {why}', file=sys.stderr)
        return {}, names
    files = {f'bin/{name}': (folder / path).read_bytes() for name, path in TARGETS.items()}
    files |= arm64_machine.library_files()
    files['bin/gdbserver'] = (debian / 'sysroot/usr/bin/gdbserver').read_bytes()
    files['etc/hosts'] = b'127.0.0.1 localhost\n'
    with arm64_machine.boot(folder, files, 1, COUNTING) as guest:
        status, output, errors = guest.run(*command(options), seconds=DEADLINE)
    if status != 0:
        sys.exit(f'trapline-bench in the arm64 machine ended with status {status}: {errors}')
    return collect(output), names
