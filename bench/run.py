#!/usr/bin/env python3
"""The bench: gdbserver, lldb-server and trapline-gdbserver under the same packets, gdb, lldb and trapline through the
same sessions at the prompt, QEMU and the emulated machine under the same kernels, QEMU and the virtual machine under the
same KVM, and the servers once more in a machine of 64-bit Arm, in one run.

For servers trapline-bench (bench/*.c) takes the samples, for prompts bench/prompt.py does, always in turn; this makes
the tables: the median of each one's samples, and the ratio of our median to the best of the others. docs/BENCH.md says
how to read them.
"""

import argparse
import datetime
import json
import os
import pathlib
import platform
import shutil
import subprocess
import sys
import tempfile

import arm64_bench
import emulator
import kvm
import packets
import prompt
from table import OURS, Aim, print_table

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / 'tools'))
import newer_lldb  # noqa: E402 pylint: disable=wrong-import-position

PARTS = ('servers', 'prompt', 'emulator', 'kvm', 'arm64')
# Our aim for a row, and to which server; every other row aims at the best of all others.
AIMS = {
    'condition-push': Aim(1 / 3, 'gdbserver'),
    'condition-multiply': Aim(1 / 3, 'gdbserver'),
    'read-hex': Aim(1 / 2, 'gdbserver'),
    'read-best': Aim(1 / 8, 'gdbserver'),
}


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.split('\n\n')[0],
                                     formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument('--build', default=str(ROOT / 'build'), help='build folder with bench/trapline-bench')
    parser.add_argument('--only', choices=PARTS, help='this part alone; default: all')
    parser.add_argument('--gdbserver', default=shutil.which('gdbserver') or '')
    parser.add_argument('--lldb-server', default=shutil.which('lldb-server') or newer_lldb.find('lldb-server') or '')
    parser.add_argument('--trapline', default='', help='default: BUILD/trapline-gdbserver')
    parser.add_argument('--gdb', default=shutil.which('gdb') or '')
    parser.add_argument('--lldb', default=shutil.which('lldb') or newer_lldb.find() or '')
    parser.add_argument('--prompt-lldb', default=shutil.which('lldb-14') or shutil.which('lldb') or '',
                        help='the lldb whose prompt is measured')
    parser.add_argument('--prompt', default='', help='default: BUILD/trapline')
    parser.add_argument('--vmlinux', default=os.environ.get('BENCH_VMLINUX', ''), metavar='FILE',
                        help="a kernel with debug information, for the prompt's rows that want one; "
                             'default: $BENCH_VMLINUX')
    parser.add_argument('--cpus', default='0', help='CPUs for the client, the servers and the programs')
    parser.add_argument('--rounds', type=int, default=15)
    parser.add_argument('--prompt-rounds', type=int, default=5)
    parser.add_argument('--kernel-rounds', type=int, default=3, help='of the rows that take vmlinux')
    parser.add_argument('--threads', type=int, default=1000)
    parser.add_argument('--arm64-rounds', type=int, default=5, help='of the rows in the arm64 machine')
    parser.add_argument('--arm64-threads', type=int, default=200, help='of the rows in the arm64 machine')
    parser.add_argument('--rows', default='', help='comma-separated names; default: all')
    parser.add_argument('--quick', action='store_true', help='small counts, to see that everything runs: no figures')
    parser.add_argument('--json', default='', metavar='FILE', help='write the samples')
    return parser.parse_args()


def find_servers(options):
    """[(name, kind, path)] of the servers that exist here."""
    trapline = options.trapline or os.path.join(options.build, 'trapline-gdbserver')
    servers = [('gdbserver', 'gdbserver', options.gdbserver), ('lldb-server', 'lldb', options.lldb_server),
               (OURS, 'gdbserver', trapline)]
    for name, _, path in servers:
        if not path or not os.access(path, os.X_OK):
            print(f'{name}: not here, left out', file=sys.stderr)
    return [server for server in servers if server[2] and os.access(server[2], os.X_OK)]


def sample_rows(options, servers):
    """Runs trapline-bench; the rows in its order: {name: {'unit', 'what', server: [samples] or reason}}."""
    program = os.path.join(options.build, 'bench', 'trapline-bench')
    if not os.access(program, os.X_OK):
        sys.exit(f'{program} is not there: build first (make).')
    command = [program, '--fixtures', os.path.join(options.build, 'bench'), '--cpus', options.cpus]
    for name, kind, path in servers:
        command += ['--server', f'{name}={kind}:{path}']
    if options.quick:
        command += ['--rounds', '2', '--turns', '50', '--cycles', '20', '--threads', '40']
    else:
        command += ['--rounds', str(options.rounds), '--threads', str(options.threads)]
    if options.rows:
        command += ['--rows', options.rows]
    rows = {}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        for line in process.stdout:
            entry = json.loads(line)
            row = rows.setdefault(entry['row'], {'unit': entry['unit'], 'what': entry['what'], 'servers': {}})
            row['servers'][entry['server']] = entry.get('samples') or entry['missing']
    if process.returncode:
        sys.exit(f'trapline-bench ended with status {process.returncode}.')
    return rows


def count_packets(options, servers, rows):
    fixture = os.path.join(options.build, 'bench', 'bench-hot')
    for debugger, path, other in (('gdb', options.gdb, 'gdbserver'), ('lldb', options.lldb, 'lldb-server')):
        for command in ('continue', 'next'):
            name = f'packets-{debugger}-{command}'
            if not path or (options.rows and name not in options.rows.split(',')):
                continue
            row = {'unit': 'packets', 'what': f'{debugger}: packets for one {command}', 'servers': {}}
            for server, kind, server_path in servers:
                if server not in (other, OURS):
                    row['servers'][server] = f'not a server that {debugger} comes with'
                    continue
                value = packets.packets_for_one(debugger, path, kind, server_path, fixture, command)
                row['servers'][server] = 'the session came to nothing' if value is None else [value]
            rows[name] = row


def machine():
    model = next((line.split(':')[1].strip() for line in pathlib.Path('/proc/cpuinfo').read_text().splitlines()
                  if line.startswith('model name')), platform.machine())
    return f'{model}, {os.cpu_count()} CPUs, Linux {platform.release()}'


def measure_servers(options):
    servers = find_servers(options)
    if not servers:
        sys.exit('no server to measure: install gdbserver or build trapline-gdbserver.')
    rows = sample_rows(options, servers)
    count_packets(options, servers, rows)
    return rows, [name for name, _, _ in servers]


def measure_prompt(options):
    with tempfile.TemporaryDirectory(prefix='trapline-bench-') as folder:
        return prompt.measure(options, folder)


def wants(options, part):
    """Whether a part is to be measured: all of its rows, or some that were named."""
    named = {row for row in options.rows.split(',') if row}
    if options.only or not named:
        return options.only in (None, part)
    of_part = {'prompt': set(prompt.ROWS), 'emulator': set(emulator.ROWS), 'kvm': set(kvm.ROWS),
               'arm64': {name for name in named if name.startswith(arm64_bench.PREFIX)}}
    if part in of_part:
        return bool(named & of_part[part])
    return bool(named.difference(*of_part.values()))


def check_quick(rows, referee):
    """A smoke test: ours must have come through every row that the other one did."""
    lost = [name for name, row in rows.items() if isinstance(row['servers'].get(OURS), str)
            and isinstance(row['servers'].get(referee), list)]
    if lost:
        sys.exit(f'rows without a figure of ours: {", ".join(lost)}')


def manner(options, part):
    """How a part's figures were taken."""
    rounds = {'servers': options.rounds, 'kvm': options.kernel_rounds, 'arm64': options.arm64_rounds}.get(part, options.prompt_rounds)
    medians = f'medians of {"quick" if options.quick else rounds} rounds'
    if part == 'arm64':
        return f'instructions in the guest; {options.arm64_threads} threads; {medians}'
    return f'run control on CPU {options.cpus}; {medians}; load {os.getloadavg()[0]:.1f}'


def main():
    options = parse_arguments()
    measured, unmet, complete = {}, 0, True
    for part, measure, aims, referee in (('servers', measure_servers, AIMS, 'gdbserver'),
                                         ('prompt', measure_prompt, prompt.AIMS, 'gdb'),
                                         ('emulator', emulator.measure, emulator.AIMS, 'qemu'),
                                         ('kvm', kvm.measure, kvm.AIMS, 'qemu'),
                                         ('arm64', arm64_bench.measure, arm64_bench.AIMS, arm64_bench.OTHER)):
        if not wants(options, part):
            continue
        rows, names = measure(options)
        if not rows:
            continue
        measured |= rows
        print(f'{datetime.date.today().isoformat()}, {machine()}; {part}: {manner(options, part)}')
        unmet += print_table(rows, names, aims)
        complete &= OURS in names
        if options.quick:
            check_quick(rows, referee)
    if options.json:
        pathlib.Path(options.json).write_text(json.dumps({'date': datetime.date.today().isoformat(),
                                                          'machine': machine(), 'rows': measured}, indent=1))
    if not options.quick:
        print('every aim met' if unmet == 0 and complete else f'{unmet} aims not met')
    return 0


if __name__ == '__main__':
    sys.exit(main())
