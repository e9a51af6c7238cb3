"""The emulator's part of the bench: the same bare-metal kernels, and the same jobs inside Linux (jobs.py), in ours and in
QEMU, with and without -icount.

A sample is the processor time, user's and system's, of one emulator from its start to the guest's last instruction, so
that other load on the machine counts little. -icount shift=0 makes QEMU deterministic, as ours always is.
"""

import math
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile

import emulator_costs
import jobs
from table import OURS, Aim

COMPILER = 'riscv64-unknown-elf-gcc'
FLAGS = ['-O2', '-march=rv64gc', '-mabi=lp64d', '-mcmodel=medany', '-nostdlib', '-nostartfiles', '-ffreestanding']
QEMU = ['qemu-system-riscv64', '-M', 'virt', '-bios', 'none', '-nographic', '-monitor', 'none', '-serial', 'none']
KERNELS = {'CRC': 'CRC-16, bit by bit', 'CALLS': 'calls and returns: Fibonacci', 'INDIRECT': 'indirect calls, by a table of four',
           'LIST': 'a linked list of 64 KiB', 'SORT': 'shell sort of bytes', 'FLOAT': 'a chain of multiplications and additions',
           'MIXED': 'some of each, and products of matrices'}
PLAIN, COUNTED, THREADS = 'qemu', 'qemu-icount', 'qemu-threads'
HARTS = {1: 'job', 4: 'four'}  # what the rows of jobs are called
# Over the kernels; over the jobs with one hart, and with four; over all that was measured with one hart.
MEANS = [f'emulator-{of}mean{more}' for of in ('', *(f'{kind}-' for kind in HARTS.values()), 'all-') for more in ('', '-icount')
         if (of, more) != ('four-', '-icount')]
OVER_KERNELS = {'emulator-mean', 'emulator-mean-icount', 'emulator-all-mean', 'emulator-all-mean-icount'}
JOB_ROWS = {f'emulator-{kind}-{job}' for kind in HARTS.values() for job in ['boot', *jobs.JOBS]} | set(MEANS)
ROWS = [f'emulator-{name.lower()}' for name in KERNELS] + [*sorted(JOB_ROWS), *emulator_costs.ROWS]
AIMS = {row: Aim(1, PLAIN) for row in JOB_ROWS}
AIMS |= {row: Aim(1 / 3.5, COUNTED) if row.endswith('icount') else Aim(1 / 2, PLAIN) for row in MEANS}
AIMS |= emulator_costs.AIMS


def build(folder, name, times):
    guest = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'guest')
    made = os.path.join(folder, name)
    subprocess.run([COMPILER, *FLAGS, f'-DKERNEL_{name}', f'-DTIMES={times}', '-T', os.path.join(guest, 'link.ld'), '-o', made,
                    os.path.join(guest, 'start.S'), os.path.join(guest, 'kernels.c')], check=True)
    return made


def sample(command, cpus):
    """Seconds of processor time; None when it failed."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    # pylint: disable-next=subprocess-popen-preexec-fn
    result = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                            preexec_fn=lambda: os.sched_setaffinity(0, cpus), timeout=300, check=False)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if result.returncode != 0:
        return None
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def measure_row(commands, cpus, rounds):
    """{emulator: [samples] or why there are none}; each round takes one of each, in an order that turns."""
    samples = {name: [] for name in commands}
    for turn in range(rounds):
        names = list(commands)
        for name in names[turn % len(names):] + names[:turn % len(names)]:
            if isinstance(samples[name], list):
                taken = sample(commands[name], cpus)
                samples[name] = samples[name] + [taken] if taken is not None else 'failed'
    return samples


def means(rows, names, prefix, of=''):
    """Rows of the geometric mean over `rows`, of each emulator that has a figure in all of them."""
    medians = {name: [statistics.median(row['servers'][name]) for row in rows.values()
                      if isinstance(row['servers'].get(name), list)] for name in names}
    mean = {name: [math.exp(statistics.fmean(math.log(max(value, 1e-3)) for value in values))] for name, values in medians.items()
            if len(values) == len(rows)}
    made = {f'{prefix}-mean': {'unit': 's', 'what': f'geometric mean{of}', 'servers': mean},
            f'{prefix}-mean-icount': {'unit': 's', 'what': 'the same, deterministic', 'servers': mean}}
    return {row: about for row, about in made.items() if row in MEANS}


def measure_jobs(options, harts, cpus, names):
    """The rows of the jobs inside Linux; none when the programs for them cannot be had."""
    kind, of = HARTS[harts], '' if harts == 1 else f' ({harts} harts)'
    try:
        folder, image = jobs.make()
    except jobs.debian.Missing as why:
        print(f'emulator: jobs inside Linux are left out: {why}', file=sys.stderr)
        return {}
    # With four harts QEMU in one thread takes most of an hour for a few of these jobs: once has to do.
    taken = jobs.measure(jobs.commands(options.build, folder, image, harts, OURS, names), cpus,
                         options.kernel_rounds if harts == 1 else 1)
    rows = {f'emulator-{kind}-{job}': {'unit': 's', 'what': what + of, 'servers': taken[job]}
            for job, what in {'boot': 'Linux, to its init', **{job: about[0] for job, about in jobs.JOBS.items()}}.items()}
    return rows | means(rows, names, f'emulator-{kind}', of)


def measure(options):
    """The rows, in the form of table.py; and the names of the emulators."""
    machine = os.path.join(options.build, 'tests', 'emulator', 'run-machine')
    names = [OURS] + ([PLAIN, COUNTED] if shutil.which(QEMU[0]) else [])
    if shutil.which(COMPILER) is None or not os.access(machine, os.X_OK):
        print(f'emulator: left out: {COMPILER} or {machine} is not here', file=sys.stderr)
        return {}, names
    cpus = {int(cpu) for cpu in options.cpus.split(',')}
    wanted = [name for name in options.rows.split(',') if name]
    rounds, rows = 1 if options.quick else options.prompt_rounds, {}
    with tempfile.TemporaryDirectory(prefix='trapline-bench-') as folder:
        for name, what in KERNELS.items():
            if wanted and f'emulator-{name.lower()}' not in wanted and not OVER_KERNELS & set(wanted):
                continue
            program = build(folder, name, 1 if options.quick else 100)
            qemu = [*QEMU, '-kernel', program]
            commands = {OURS: [machine, '--translate', '--limit', str(10 ** 15), program], PLAIN: qemu,
                        COUNTED: [*qemu, '-icount', 'shift=0']}
            rows[f'emulator-{name.lower()}'] = {'unit': 's', 'what': what, 'servers': measure_row(
                {emulator: commands[emulator] for emulator in names}, cpus, rounds)}
    alone = dict(rows)
    if len(alone) == len(KERNELS) and not options.quick:
        rows |= means(alone, names, 'emulator')
    several = [name for name in names if name != COUNTED] + ([THREADS] if PLAIN in names else [])
    for harts, kind in HARTS.items():
        of_these = tuple(f'emulator-{rows_of}-' for rows_of in ([kind, 'all'] if harts == 1 else [kind]))
        if options.quick or (wanted and not any(row.startswith(of_these) for row in wanted)):
            continue
        taken = measure_jobs(options, harts, cpus, names if harts == 1 else several)
        rows |= taken
        if harts == 1 and taken and len(alone) == len(KERNELS):
            alone |= {row: about for row, about in taken.items() if row not in MEANS}
            rows |= means(alone, names, 'emulator-all', ', kernels and jobs')
    if not wanted or set(emulator_costs.ROWS) & set(wanted):
        rows |= emulator_costs.measure(options, QEMU if PLAIN in names else [], build, sample)
    return rows, [*names, *([THREADS] if PLAIN in names else []), emulator_costs.WITHOUT]
