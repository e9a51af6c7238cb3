#!/usr/bin/env python3
"""GDB's own test suite against gdbserver and against trapline-gdbserver, side by side.

The suite comes from Debian's package gdb-source and is driven by stock gdb. Each test file (.exp) runs once for each
server and board through the suite's own make rule (`make check/DIR/FILE.exp`, the one that `make check-parallel` uses
for each file), the two servers one right after the other in the same worker, so that both meet the same load. The
results are compared test by test; what ours lacks is run again at the end, one file at a time, up to three times on both
sides. Exit status 0: every test that passes with gdbserver passes with ours; the last line counts our passes, and as
failed what is owed to gdbserver.
"""

import argparse
import collections
import concurrent.futures
import ctypes
import datetime
import json
import os
import pathlib
import platform
import re
import shutil
import signal
import subprocess
import sys
import tarfile
import threading
import time
import zlib

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
BOARDS = ('native-gdbserver', 'native-extended-gdbserver')
REFERENCE = 'gdbserver'
OURS = 'trapline'
RESULT_LINE = re.compile(
    r'^(PASS|FAIL|XPASS|XFAIL|KPASS|KFAIL|UNTESTED|UNRESOLVED|UNSUPPORTED|ERROR|WARNING): (.*)$')
# What a name may hold that differs from run to run although the test is the same: addresses, process ids and ports,
# and the folder that the test ran in.
VARYING = ((re.compile(r'/\S*/(outputs|temp)/'), r'/\1/'), (re.compile(r'0x[0-9a-f]+'), '0xN'),
           (re.compile(r'\b[0-9]{4,}\b'), 'N'))


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.split('\n\n')[0],
                                     formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument('--tests', default='', metavar='"PATTERN …"',
                        help='test files, as in "gdb.base/break.exp gdb.server/*.exp"; overrides --slice')
    parser.add_argument('--slice', choices=('fast', 'full', 'threads'), default='full',
                        help='fast: gdb.server and the part of gdb.base in fast.txt; full: all of gdb.server and '
                             'gdb.base; threads: gdb.threads')
    parser.add_argument('--boards', default=','.join(BOARDS), help='comma-separated target boards')
    parser.add_argument('--servers', default=f'{REFERENCE},{OURS}', help='one of the two runs that one alone')
    parser.add_argument('--gdbserver', default=shutil.which('gdbserver') or '/usr/bin/gdbserver')
    parser.add_argument('--trapline', default=str(ROOT / 'build' / 'trapline-gdbserver'))
    parser.add_argument('--gdb', default=shutil.which('gdb') or '/usr/bin/gdb')
    parser.add_argument('--source', default='/usr/src/gdb.tar.xz', help="the archive of Debian's gdb-source")
    parser.add_argument('--work', default=str(ROOT / 'build' / 'gdbsuite'), help='folder for everything that is made')
    parser.add_argument('--jobs', '-j', type=int, default=max(os.cpu_count() * 3 // 2, 2),
                        help='test files at a time; a test waits for a third of its time')
    parser.add_argument('--runs', type=int, default=3, help='how often a test that wavers is run on both sides')
    parser.add_argument('--limit', type=int, default=900, help='seconds after which a test file is ended')
    parser.add_argument('--baseline', default='', metavar='JSON',
                        help="take gdbserver's first results from an earlier run's --json of this machine")
    parser.add_argument('--json', default='', metavar='FILE', help='write all results (default: WORK/results.json)')
    parser.add_argument('--verbose', '-v', action='store_true', help='one line for each test file as it ends')
    parser.add_argument('--contain', type=int, help=argparse.SUPPRESS)
    return parser.parse_known_args()


# Containing a run: tests leave servers and programs behind, which would load the machine for the tests after them.

def contain(limit, command):
    """Runs command, ends it after limit seconds, and then ends every process that it left behind."""
    subreaper = 36  # PR_SET_CHILD_SUBREAPER: orphans of the run become our children
    ctypes.CDLL(None).prctl(subreaper, 1, 0, 0, 0)
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        status = process.wait(limit)
    except subprocess.TimeoutExpired:
        status = 124
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline and end_descendants():
        try:
            os.waitpid(-1, 0)
        except ChildProcessError:
            break
    return status


def end_descendants():
    """SIGKILL to every descendant of this process; whether there was one."""
    children = collections.defaultdict(list)
    for entry in os.listdir('/proc'):
        if entry.isdigit():
            try:
                fields = pathlib.Path('/proc', entry, 'stat').read_text(errors='replace').rpartition(')')[2].split()
            except OSError:
                continue
            children[int(fields[1])].append(int(entry))
    waiting, found = [os.getpid()], []
    while waiting:
        found += children[waiting[0]]
        waiting += children[waiting.pop(0)]
    for pid in found:
        try:
            os.kill(pid, signal.SIGKILL)
        except OSError:
            pass
    return bool(found)


# Preparing: the suite's source, and one configured folder for each server and board.

def unpack(archive, work):
    """Unpacks the parts of gdb's source that the suite reads; returns the folder of the suite."""
    suite = work / 'source' / 'gdb' / 'gdb' / 'testsuite'
    done = work / 'source' / 'unpacked'
    if done.exists() and done.read_text() == archive:
        return suite
    if not os.path.exists(archive):
        sys.exit(f'{archive} is not there: install the packages gdb-source and dejagnu (make setup does).')
    print(f'unpacking {archive}', flush=True)
    wanted = ('gdb/gdb/', 'gdb/include/', 'gdb/config.', 'gdb/install-sh', 'gdb/mkinstalldirs')
    with tarfile.open(archive) as tar:
        tar.extractall(work / 'source', members=[m for m in tar if m.name.startswith(wanted)])
    done.write_text(archive)
    return suite


def configure(suite, work, server, path, board):
    """A folder two levels deep in which the suite is configured, with the server where the boards look for it."""
    folder = work / f'{server}-{board}' / 'gdb' / 'testsuite'
    link = folder.parent.parent / 'gdbserver' / 'gdbserver'
    folder.mkdir(parents=True, exist_ok=True)
    link.parent.mkdir(exist_ok=True)
    if link.is_symlink():
        link.unlink()
    link.symlink_to(os.path.abspath(path))
    log = folder / 'configure.out'
    if not (folder / 'site.exp').exists():
        with open(log, 'w') as out:
            if subprocess.call([suite / 'configure'], cwd=folder, stdout=out, stderr=out) or \
                    subprocess.call(['make', 'site.exp'], cwd=folder, stdout=out, stderr=out):
                sys.exit(f"GDB's test suite could not be configured; {log} says why.")
    for name in ('cache', 'outputs', 'temp'):
        shutil.rmtree(folder / name, ignore_errors=True)
    return folder


def expand(suite, patterns):
    chosen = []
    for pattern in patterns:
        found = sorted(str(path.relative_to(suite)) for path in suite.glob(pattern))
        if not found:
            sys.exit(f'no test file matches {pattern}; the suite is in {suite}.')
        chosen += [name for name in found if name not in chosen]
    return chosen


def read_slice(path):
    """fast.txt: a pattern a line, under the name of its board in brackets; {board: [pattern, …]}."""
    patterns, board = {}, ''
    for line in path.read_text().splitlines():
        line = line.split('#')[0].strip()
        if line.startswith('['):
            board = line.strip('[]')
        elif line:
            patterns.setdefault(board, []).append(line)
    return patterns


def choose_tests(options, suite):
    """{board: [test file, …]}"""
    boards = options.boards.split(',')
    if options.tests:
        patterns = {board: options.tests.split() for board in boards}
    elif options.slice == 'fast':
        patterns = read_slice(HERE / 'fast.txt')
    else:
        whole = ['gdb.threads/*.exp'] if options.slice == 'threads' else ['gdb.server/*.exp', 'gdb.base/*.exp']
        patterns = {board: whole for board in boards}
    return {board: expand(suite, patterns[board]) for board in boards if board in patterns}


def read_exemptions():
    """exempt.txt: a pattern over "FILE.exp: test name" and a reason, separated by a tab."""
    exemptions = []
    for line in (HERE / 'exempt.txt').read_text().splitlines():
        if line.strip() and not line.startswith('#'):
            pattern, _, reason = line.partition('\t')
            if not reason.strip():
                sys.exit(f'exempt.txt: no reason given for {pattern}')
            exemptions.append((re.compile(pattern.strip()), reason.strip()))
    return exemptions


# Running.

def run_test(options, folder, board, test):
    """One run of one test file in one configured folder: {'seconds', 'results': [[kind, name], …]}."""
    output = folder / 'outputs' / test[:-len('.exp')]
    shutil.rmtree(output, ignore_errors=True)
    started = time.monotonic()
    status = subprocess.call(
        [sys.executable, __file__, '--contain', str(options.limit), 'make', f'check/{test}',
         f'RUNTESTFLAGS=--target_board={board} GDB={options.gdb}',
         "INTERNAL_GDBFLAGS=-nw -nx -data-directory /usr/share/gdb -iex 'set height 0' -iex 'set width 0'"],
        cwd=folder)
    run = {'seconds': round(time.monotonic() - started, 2), 'results': read_results(output / 'gdb.sum', test)}
    if status == 124:
        run['results'].append(['ERROR', f'{test}: ended after {options.limit} s'])
    return run


def read_results(path, test):
    """[[kind, name], …] of a gdb.sum, with what varies from run to run blanked out."""
    try:
        lines = path.read_text(errors='replace').splitlines()
    except OSError:
        return [['ERROR', f'{test}: left no results']]
    results = []
    for match in filter(None, map(RESULT_LINE.match, lines)):
        name = match[2]
        for pattern, text in VARYING:
            name = pattern.sub(text, name)
        results.append([match[1], name])
    return results


def passes(run):
    return collections.Counter(name for kind, name in run['results'] if kind == 'PASS')


def best(runs):
    """For each test the most passes in any one run (a name may stand for several tests)."""
    most = collections.Counter()
    for run in runs:
        most |= passes(run)
    return most


def lacking(runs):
    """What passes with gdbserver and not with ours, where both ran."""
    return best(runs[REFERENCE]) - best(runs[OURS]) if len(runs) == 2 else None


def run_pair(options, folders, board, test, runs, baseline):
    """Runs one test file once more with each server, the other one first than the last time; adds to runs."""
    turn = sum(map(len, runs.values())) // 2 + zlib.crc32(test.encode())
    for server, folder in folders if turn % 2 == 0 else folders[::-1]:
        known = baseline if server == REFERENCE and not runs[server] else None
        runs[server].append(known or run_test(options, folder, board, test))


def run_all(options, suite, servers, tests, baseline):
    """Every file once, several at a time; then, one at a time, again what lacks something that gdbserver's has."""
    work = pathlib.Path(options.work)
    folders = {board: [(server, configure(suite, work, server, path, board)) for server, path in servers]
               for board in tests}
    results = {board: {test: {server: [] for server, _ in servers} for test in names} for board, names in tests.items()}
    jobs = [(board, test) for board, names in tests.items() for test in names]
    lock, done = threading.Lock(), [0]

    def work_on(board, test):
        known = baseline.get(board, {}).get(test, {}).get(REFERENCE, [None])[0]
        run_pair(options, folders[board], board, test, results[board][test], known)
        with lock:
            done[0] += 1
            report_progress(options, f'{done[0]}/{len(jobs)}', board, test, results[board][test])

    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        for future in [pool.submit(work_on, *job) for job in jobs]:
            future.result()
    for number in range(2, options.runs + 1):
        for board, test in jobs:
            if lacking(results[board][test]):
                run_pair(options, folders[board], board, test, results[board][test], None)
                report_progress(options, f'run {number}', board, test, results[board][test], True)
    return results


def report_progress(options, counter, board, test, runs, always=False):
    missing = lacking(runs)
    if options.verbose or missing or always:
        cells = [f'{server} {sum(best(tries).values())} in {"+".join(str(run["seconds"]) for run in tries)} s'
                 for server, tries in runs.items()]
        lacks = f' LACKS {sum(missing.values())}' if missing else ''
        print(f'[{counter}] {board} {test}: {", ".join(cells)}{lacks}', flush=True)
    elif int(counter.partition('/')[0]) % 25 == 0:
        print(f'[{counter}]', flush=True)


# Judging.

def exemption_of(exemptions, name):
    return next((reason for pattern, reason in exemptions if pattern.search(name)), None)


def judge(results, exemptions):
    """Prints the difference, board by board and test by test; returns how many tests ours owes."""
    owed = 0
    for board, tests in results.items():
        missing, wavering, excused, gained = [], [], [], []
        for test, runs in sorted(tests.items()):
            reference, ours = best(runs[REFERENCE]), best(runs[OURS])
            for name, count in sorted((reference - ours).items()):
                reason = exemption_of(exemptions, name)
                (excused if reason else missing).append((name, count, reason))
            for name, count in sorted((ours - reference).items()):
                gained.append((name, count, None))
            if len(runs[OURS]) > 1:
                wavering += [(name, count, None) for name, count in
                             sorted(((reference & ours) - passes(runs[OURS][0])).items())]
        print(f'\n== {board}')
        for server in (REFERENCE, OURS):
            print_counts(server, [runs[server] for runs in tests.values()])
        print_list('pass with gdbserver but not with ours', missing)
        print_list('exempt, with the reason', excused)
        print_list('passed with ours only when run again', wavering)
        print_list('pass with ours only', gained)
        owed += sum(count for _, count, _ in missing)
    return owed


def print_counts(server, tries):
    kinds = collections.Counter(kind for runs in tries for kind, _ in runs[0]['results'])
    seconds = sum(runs[0]['seconds'] for runs in tries)
    print(f'{server:10} first run: ' + ', '.join(f'{count} {kind}' for kind, count in sorted(kinds.items())) +
          f'; {sum(sum(best(runs).values()) for runs in tries)} pass in some run; {seconds:.0f} s of test time')


def print_list(title, entries):
    print(f'{title}: {sum(count for _, count, _ in entries)}')
    for name, count, reason in entries:
        times = f' (x{count})' if count > 1 else ''
        print(f'    {name}{times}' + (f'  [{reason}]' if reason else ''))


def main():
    options, rest = parse_arguments()
    if options.contain is not None:
        return contain(options.contain, rest)
    if rest:
        sys.exit(f'unknown argument {rest[0]}; --help lists them.')
    if not shutil.which('runtest'):
        sys.exit('runtest is not there: install the package dejagnu (make setup does).')
    paths = {REFERENCE: options.gdbserver, OURS: options.trapline}
    servers = [(name, paths[name]) for name in options.servers.split(',') if name in paths]
    for name, path in servers:
        if not os.access(path, os.X_OK):
            sys.exit(f'{name}: {path} is not an executable; build it, or give its path with --{name}.')
    if not servers:
        sys.exit('--servers names neither gdbserver nor trapline.')
    work = pathlib.Path(options.work).resolve()
    options.work = str(work)
    work.mkdir(parents=True, exist_ok=True)
    suite = unpack(options.source, work)
    tests = choose_tests(options, suite)
    exemptions = read_exemptions()
    baseline = json.loads(pathlib.Path(options.baseline).read_text())['boards'] if options.baseline else {}
    started = time.monotonic()
    print(', '.join(f'{len(names)} test files on {board}' for board, names in tests.items()) + '; ' +
          ' and '.join(name for name, _ in servers) + f'; {options.jobs} jobs', flush=True)
    results = run_all(options, suite, servers, tests, baseline)
    output = pathlib.Path(options.json or work / 'results.json')
    output.write_text(json.dumps({'date': datetime.date.today().isoformat(), 'machine': platform.machine(),
                                  'cpus': os.cpu_count(), 'jobs': options.jobs, 'boards': results}))
    print(f'\n{time.monotonic() - started:.0f} s; all results in {output}')
    if len(servers) == 1:
        for board, files in results.items():
            print(f'== {board}')
            print_counts(servers[0][0], [runs[servers[0][0]] for runs in files.values()])
        return 0
    owed = judge(results, exemptions)
    if owed == 0:
        print('\nevery test that passes with gdbserver passes with ours')
    passed = sum(sum(best(runs[OURS]).values()) for files in results.values() for runs in files.values())
    print(f'{passed} passed, {owed} failed')
    return 1 if owed else 0


if __name__ == '__main__':
    sys.exit(main())
