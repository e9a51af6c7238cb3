"""The rows of the prompt: gdb, lldb and trapline through the same sessions, in turn.

A scenario is one session of one debugger and gives a figure or several. docs/BENCH.md says what each row is.
"""

import dataclasses
import os
import pathlib
import shutil
import tempfile

import debuggers
from debuggers import NoAnswer
from table import OURS, Aim

MILLI, MICRO = 1e3, 1e6

# Rows: name -> (unit, what it is, what it aims at).
ROWS = {
    'prompt-small': ('ms', 'start to the prompt, small program', Aim(limit=50)),
    'first-small': ('ms', 'start to the first breakpoint, small program', Aim()),
    'prompt-big': ('ms', 'start to the prompt, {big}', Aim(limit=50)),
    'first-big': ('ms', 'start to the first breakpoint, {big}', Aim()),
    'prompt-kernel': ('ms', 'start to the prompt, vmlinux', Aim(limit=50)),
    'break-kernel': ('ms', 'start to `break schedule` answered, vmlinux, no index kept', Aim(limit=300)),
    'task-kernel': ('ms', '`ptype struct task_struct` after that', Aim(limit=100)),
    'memory-kernel': ('MiB', 'most memory that was resident, after that', Aim(1 / 3, 'lldb')),
    'kept-kernel': ('ms', 'start to `break schedule` answered, vmlinux, index kept', Aim(limit=50)),
    'condition': ('us', 'false condition of a breakpoint, for each hit', Aim(1 / 3, 'gdb')),
    'next-threads': ('ms', '`next` with {threads} threads', Aim(limit=35)),
    'next-asking': ('ms', '`next` over a call that another of {threads} threads answers', Aim()),
    'stacks-threads': ('ms', '`thread apply all backtrace`, {threads} threads', Aim()),
    'stack-deep': ('ms', 'backtrace of {depth} frames', Aim()),
    'steps': ('us', 'one `step`, of {times} in one go', Aim()),
    'nexts': ('us', 'one `next`, of {times} in one go', Aim()),
}
AIMS = {name: aim for name, (_, _, aim) in ROWS.items()}


@dataclasses.dataclass
class Setting:
    """What scenarios need to know of a run."""
    build: pathlib.Path
    folder: str  # for files that do not outlive the run
    vmlinux: str
    big: str
    cpus: set
    threads: int
    depth: int
    turns: int  # hits of a false condition
    times: int  # steps in one go
    nexts: int  # one by one, of which the mean is a sample

    def fixture(self, name):
        return self.build / 'bench' / f'bench-{name}'

    def environment(self, kept=''):
        """Without what a person set up; `kept`: a folder for what debuggers keep from run to run."""
        environment = {name: os.environ[name] for name in ('PATH', 'LANG', 'USER', 'LD_LIBRARY_PATH')
                       if name in os.environ}
        return environment | {'HOME': self.folder, 'TERM': 'dumb', 'SHELL': '/bin/sh',
                              'XDG_CACHE_HOME': kept or os.path.join(self.folder, 'cache')}


def at_prompt(setting, name, path, program, arguments=(), pinned=True, **more):
    more.setdefault('environment', setting.environment())
    return debuggers.Debugger(name, path, program, arguments, setting.cpus if pinned else None, **more)


def start_of(row, program_of):
    def scenario(setting, name, path):
        program = program_of(setting)
        with at_prompt(setting, name, path, program, pinned=False) as debugger:
            to_prompt = debugger.time_to_prompt
            seconds = to_prompt + debugger.break_at('main') + debugger.run('main')
            debugger.set_up()  # so that nothing is asked at the end
        return {f'prompt-{row}': to_prompt * MILLI, f'first-{row}': seconds * MILLI}
    return scenario


def kernel(setting, name, path):
    with tempfile.TemporaryDirectory(dir=setting.folder) as empty:
        with at_prompt(setting, name, path, setting.vmlinux, pinned=False, deadline=180,
                       environment=setting.environment(empty)) as debugger:
            to_prompt = debugger.time_to_prompt
            to_break = to_prompt + debugger.break_at('schedule')
            debugger.expect(rb'reakpoint 1.*(core\.c|0xffffffff)', 'no breakpoint')
            debugger.set_up()
            task = debugger.type(debugger.dialect.describe_task)
            debugger.expect(rb'thread_struct thread;', 'no task_struct')
            memory = debugger.peak_memory()
    return {'prompt-kernel': to_prompt * MILLI, 'break-kernel': to_break * MILLI, 'task-kernel': task * MILLI,
            'memory-kernel': memory}


def kernel_kept(setting, name, path):
    """The first session keeps what the second one finds; gdb and lldb do so when they are told to."""
    kept = os.path.join(setting.folder, f'kept-{name}')
    keeping = debuggers.DIALECTS[name].keeping(kept)
    for _ in range(1 if os.path.isdir(kept) else 2):
        with at_prompt(setting, name, path, setting.vmlinux, pinned=False, deadline=180,
                       environment=setting.environment(kept), options=keeping) as debugger:
            seconds = debugger.time_to_prompt + debugger.break_at('schedule')
            debugger.expect(rb'reakpoint 1.*(core\.c|0xffffffff)', 'no breakpoint')
        os.makedirs(kept, exist_ok=True)
    return {'kept-kernel': seconds * MILLI}


def condition(setting, name, path):
    turns = int(setting.turns * debuggers.DIALECTS[name].share)
    with at_prompt(setting, name, path, setting.fixture('lines'), [turns]) as debugger:
        debugger.set_up()
        debugger.break_at('bench_ready')
        debugger.run('bench_ready')
        debugger.break_at('bench_hot', 'number == -1')
        debugger.break_at('bench_after')
        seconds = debugger.go_on('bench_after')
    return {'condition': seconds / turns * MICRO}


def crowd(setting, name, path):
    with at_prompt(setting, name, path, setting.fixture('crowd'), [setting.threads], deadline=120) as debugger:
        debugger.set_up()
        debugger.break_at('bench_plain')
        debugger.run('bench_plain')
        seconds = {'stacks-threads': debugger.type(debugger.dialect.backtraces)}
        asleep = debugger.said.count(b'bench-crowd`answer' if name == 'lldb' else b' answer (', debugger.mark)
        if asleep < setting.threads - 2:
            raise NoAnswer(f'only {asleep} of {setting.threads - 2} stacks lead to where the threads wait')
        debugger.go(debugger.dialect.step_over)
        before = debugger.value_of('bench_ticks')
        seconds['next-threads'] = sum(debugger.go(debugger.dialect.step_over, 'sum|for')
                                      for _ in range(setting.nexts)) / setting.nexts
        moved = debugger.value_of('bench_ticks') - before
        if moved <= 0:
            seconds['next-threads'] = 'the other threads were not resumed: none of them moved'
        debugger.break_at('bench_asking')
        debugger.go_on('bench_asking')
        debugger.go(debugger.dialect.step_over)
        seconds['next-asking'] = sum(debugger.go(debugger.dialect.step_over, 'ask|for')
                                     for _ in range(setting.nexts)) / setting.nexts
    return {row: value if isinstance(value, str) else value * MILLI for row, value in seconds.items()}


def deep(setting, name, path):
    with at_prompt(setting, name, path, setting.fixture('lines'), [1, setting.depth]) as debugger:
        debugger.set_up()
        debugger.break_at('bench_bottom')
        debugger.run('bench_bottom')
        seconds = debugger.type(debugger.dialect.backtrace)
        debugger.expect(rb'#%d[: ].*\bmain\b' % (setting.depth + 2), 'it did not come to main')
    return {'stack-deep': seconds * MILLI}


def several(row, command):
    def scenario(setting, name, path):
        dialect = debuggers.DIALECTS[name]
        times, piped = int(setting.times * dialect.share), dialect.waits_for_stops
        with at_prompt(setting, name, path, setting.fixture('lines'), [1], piped=piped) as debugger:
            debugger.set_up()
            debugger.break_at('bench_lines')
            debugger.run('bench_lines')
            seconds = debugger.several(getattr(dialect, command), times)
            debugger.expect(rb'bench_lines|sum', 'it did not step')
        return {row: seconds / times * MICRO}
    return scenario


# Scenarios with the rows that they give.
SCENARIOS = (
    (('prompt-small', 'first-small'), start_of('small', lambda setting: setting.fixture('lines'))),
    (('prompt-big', 'first-big'), start_of('big', lambda setting: setting.big)),
    (('prompt-kernel', 'break-kernel', 'task-kernel', 'memory-kernel'), kernel),
    (('kept-kernel',), kernel_kept),
    (('condition',), condition),
    (('next-threads', 'next-asking', 'stacks-threads'), crowd),
    (('stack-deep',), deep),
    (('steps',), several('steps', 'step')),
    (('nexts',), several('nexts', 'step_over')),
)


def find_debuggers(options):
    """[(name, path)] of those that exist here."""
    found = [('gdb', options.gdb), ('lldb', options.prompt_lldb),
             (OURS, options.prompt or os.path.join(options.build, 'trapline'))]
    return [(name, path) for name, path in found if path and os.access(path, os.X_OK)]


def find_big(options):
    """The big program that is at hand everywhere: Python's debug build, else our own."""
    return shutil.which('python3-dbg') or os.path.join(options.build, 'trapline')


def read_through(path):
    """So that the file is in the page cache for the first of them as for the last."""
    with open(path, 'rb') as file:
        while file.read(1 << 24):
            pass


def measure(options, folder):
    """The rows that are wanted, in the form of table.py; and the names of the debuggers."""
    wanted = [name for name in options.rows.split(',') if name]
    setting = Setting(pathlib.Path(options.build).resolve(), folder, options.vmlinux, find_big(options),
                      {int(cpu) for cpu in options.cpus.split(',')}, options.threads, 10000, 2000, 1000, 20)
    rounds = options.prompt_rounds
    if options.quick:
        setting.threads, setting.depth, setting.turns, setting.times, setting.nexts = 20, 100, 50, 20, 10
        rounds = 1
    names = find_debuggers(options)
    words = {'big': os.path.basename(setting.big), 'threads': setting.threads, 'depth': setting.depth,
             'times': setting.times}
    rows = {}
    for gives, scenario in SCENARIOS:
        is_kernel = any('kernel' in row for row in gives)
        if (wanted and not set(wanted) & set(gives)) or (is_kernel and not setting.vmlinux):
            continue
        if is_kernel:
            read_through(setting.vmlinux)
        for row in gives:
            unit, what, _ = ROWS[row]
            rows[row] = {'unit': unit, 'what': what.format(**words), 'servers': {}}
        sample(setting, names, scenario, {row: rows[row]['servers'] for row in gives},
               min(rounds, options.kernel_rounds) if is_kernel else rounds, not options.quick and not is_kernel)
    return {row: rows[row] for row in rows if not wanted or row in wanted}, [name for name, _ in names]


def sample(setting, names, scenario, servers, rounds, warm):
    """Every debugger in every round, the order turning; one that failed is not tried again."""
    failed = set()
    for turn in range(-1 if warm else 0, rounds):
        for place in range(len(names)):
            name, path = names[(place + turn) % len(names)]
            if name in failed:
                continue
            try:
                values = scenario(setting, name, path)
            except NoAnswer as error:
                values = dict.fromkeys(servers, str(error))
                failed.add(name)
            for row, value in values.items():
                kept = servers[row]
                if isinstance(value, str):
                    kept[name] = value
                elif turn >= 0 and not isinstance(kept.get(name), str):
                    kept.setdefault(name, []).append(value)
