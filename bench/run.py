#!/usr/bin/env python3
"""The bench: gdbserver, lldb-server and trapline-gdbserver under the same packets, in one run, on the same CPUs.

trapline-bench (bench/*.c) takes the samples, the servers in turn; this makes the table: the median of each server's
samples, and the ratio of our median to the best of the others. docs/BENCH.md says how to read it.
"""

import argparse
import datetime
import json
import os
import pathlib
import platform
import shutil
import statistics
import subprocess
import sys

import packets

ROOT = pathlib.Path(__file__).resolve().parent.parent
OURS = 'trapline'
# Our aim for a row as a ratio, and to which server; every other row aims at the best of all others.
AIMS = {
    'condition-push': (1 / 3, 'gdbserver'),
    'condition-multiply': (1 / 3, 'gdbserver'),
    'read-hex': (1 / 2, 'gdbserver'),
    'read-best': (1 / 8, 'gdbserver'),
}
NOISE = 1.03  # two runs of one and the same server differ by this much


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.split('\n\n')[0],
                                     formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument('--build', default=str(ROOT / 'build'), help='build folder with bench/trapline-bench')
    parser.add_argument('--gdbserver', default=shutil.which('gdbserver') or '')
    parser.add_argument('--lldb-server', default=shutil.which('lldb-server') or shutil.which('lldb-server-19') or '')
    parser.add_argument('--trapline', default='', help='default: BUILD/trapline-gdbserver')
    parser.add_argument('--gdb', default=shutil.which('gdb') or '')
    parser.add_argument('--lldb', default=shutil.which('lldb') or shutil.which('lldb-19') or '')
    parser.add_argument('--cpus', default='0', help='CPUs for the client, the servers and the programs')
    parser.add_argument('--rounds', type=int, default=15)
    parser.add_argument('--threads', type=int, default=1000)
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


def figure(samples):
    return statistics.median(samples) if isinstance(samples, list) else None


def judge(name, row):
    """(ratio of ours to what the row aims at, text of the aim, whether it is met); None where there is no figure."""
    figures = {server: figure(samples) for server, samples in row['servers'].items()}
    ours = figures.pop(OURS, None)
    factor, against = AIMS.get(name, (1, None))
    others = [value for server, value in figures.items() if value is not None and against in (None, server)]
    aim = f'<= {factor:.2f} of {against}' if against else 'no slower than the best'
    if ours is None or not others:
        return None, aim, None
    ratio = ours / min(others) if min(others) else 1.0
    return ratio, aim, ratio <= factor * NOISE


def print_table(rows, names):
    width = max(len(row['what']) for row in rows.values())
    print(f'{"":{width}}  {"unit":8}' + ''.join(f'{name:>13}' for name in names) + f'{"ratio":>9}  aim')
    unmet = 0
    for name, row in rows.items():
        cells = ''
        for server in names:
            value = figure(row['servers'].get(server, ''))
            cells += f'{"-":>13}' if value is None else f'{value:13.2f}'
        ratio, aim, met = judge(name, row)
        unmet += met is False
        verdict = '' if met is None else (', met' if met else ', NOT MET')
        print(f'{row["what"]:{width}}  {row["unit"]:8}{cells}' + (f'{ratio:9.2f}' if ratio else f'{"-":>9}') +
              f'  {aim}{verdict}')
    for row in rows.values():
        for server, samples in row['servers'].items():
            if isinstance(samples, str):
                print(f'  - {row["what"]}: {server}: {samples}')
    return unmet


def machine():
    model = next((line.split(':')[1].strip() for line in pathlib.Path('/proc/cpuinfo').read_text().splitlines()
                  if line.startswith('model name')), platform.machine())
    return f'{model}, {os.cpu_count()} CPUs, Linux {platform.release()}'


def main():
    options = parse_arguments()
    servers = find_servers(options)
    if not servers:
        sys.exit('no server to measure: install gdbserver or build trapline-gdbserver.')
    rows = sample_rows(options, servers)
    count_packets(options, servers, rows)
    names = [name for name, _, _ in servers]
    if options.json:
        pathlib.Path(options.json).write_text(json.dumps({'date': datetime.date.today().isoformat(),
                                                          'machine': machine(), 'rows': rows}, indent=1))
    print(f'{datetime.date.today().isoformat()}, {machine()}; all on CPU {options.cpus}; medians of '
          f'{2 if options.quick else options.rounds} rounds; load {os.getloadavg()[0]:.1f}')
    unmet = print_table(rows, names)
    if options.quick:
        # A smoke test: our server must have come through every row that gdbserver did.
        lost = [name for name, row in rows.items() if isinstance(row['servers'].get(OURS), str)
                and isinstance(row['servers'].get('gdbserver'), list)]
        if lost:
            sys.exit(f'rows without a figure of ours: {", ".join(lost)}')
        return 0
    print('every aim met' if unmet == 0 and OURS in names else f'{unmet} aims not met')
    return 0


if __name__ == '__main__':
    sys.exit(main())
