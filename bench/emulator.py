"""The emulator's part of the bench: the same bare-metal kernels in ours and in QEMU, with and without -icount.

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
from table import OURS, Aim

COMPILER = 'riscv64-unknown-elf-gcc'
FLAGS = ['-O2', '-march=rv64gc', '-mabi=lp64d', '-mcmodel=medany', '-nostdlib', '-nostartfiles', '-ffreestanding']
QEMU = ['qemu-system-riscv64', '-M', 'virt', '-bios', 'none', '-nographic', '-monitor', 'none', '-serial', 'none']
KERNELS = {'CRC': 'CRC-16, bit by bit', 'CALLS': 'calls and returns: Fibonacci', 'INDIRECT': 'indirect calls, by a table of four',
           'LIST': 'a linked list of 64 KiB', 'SORT': 'shell sort of bytes', 'FLOAT': 'a chain of multiplications and additions',
           'MIXED': 'some of each, and products of matrices'}
PLAIN, COUNTED = 'qemu', 'qemu-icount'
ROWS = [f'emulator-{name.lower()}' for name in KERNELS] + ['emulator-mean', 'emulator-mean-icount', 'emulator-boot']
ROWS += emulator_costs.ROWS
AIMS = {'emulator-mean': Aim(1 / 2, PLAIN), 'emulator-mean-icount': Aim(1 / 3.5, COUNTED), **emulator_costs.AIMS}


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


def means(rows, names):
    """The geometric mean over the kernels, for each emulator."""
    medians = {name: [statistics.median(row['servers'][name]) for row in rows.values()
                      if isinstance(row['servers'].get(name), list)] for name in names}
    return {name: [math.exp(statistics.fmean(math.log(max(value, 1e-3)) for value in values))] for name, values in medians.items()
            if len(values) == len(rows)}


def boot_commands(options):
    """How each boots Linux to the end of its init, if a kernel was given."""
    kernel, initrd = os.environ.get('BENCH_RISCV_KERNEL'), os.environ.get('BENCH_RISCV_INITRD')
    if not kernel or not initrd:
        return {}
    ours = [os.path.join(options.build, 'tests', 'emulator', 'boot-machine'), '--harts', '1', '--memory', '512', '--kernel', kernel,
            '--initrd', initrd, '--append', 'console=ttyS0']
    qemu = ['qemu-system-riscv64', '-M', 'virt', '-m', '512', '-nographic', '-monitor', 'none', '-serial', 'stdio', '-kernel',
            kernel, '-initrd', initrd, '-append', 'console=ttyS0']
    return {OURS: ours, PLAIN: qemu, COUNTED: [*qemu, '-icount', 'shift=0']}


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
            if wanted and f'emulator-{name.lower()}' not in wanted and not {'emulator-mean', 'emulator-mean-icount'} & set(wanted):
                continue
            program = build(folder, name, 1 if options.quick else 100)
            qemu = [*QEMU, '-kernel', program]
            commands = {OURS: [machine, '--translate', '--limit', str(10 ** 15), program], PLAIN: qemu,
                        COUNTED: [*qemu, '-icount', 'shift=0']}
            rows[f'emulator-{name.lower()}'] = {'unit': 's', 'what': what, 'servers': measure_row(
                {emulator: commands[emulator] for emulator in names}, cpus, rounds)}
    if len(rows) == len(KERNELS) and not options.quick:
        mean = means(rows, names)
        rows['emulator-mean'] = {'unit': 's', 'what': 'geometric mean', 'servers': mean}
        rows['emulator-mean-icount'] = {'unit': 's', 'what': 'the same, deterministic', 'servers': mean}
    commands = boot_commands(options)
    if commands and (not wanted or 'emulator-boot' in wanted):
        rows['emulator-boot'] = {'unit': 's', 'what': 'Linux, to the end of its init', 'servers': measure_row(
            {emulator: commands[emulator] for emulator in names}, cpus, rounds)}
    if not wanted or set(emulator_costs.ROWS) & set(wanted):
        rows |= emulator_costs.measure(options, QEMU if PLAIN in names else [], build, sample)
    return rows, [*names, emulator_costs.WITHOUT]
