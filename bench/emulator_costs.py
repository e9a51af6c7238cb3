"""What the emulator's debugger and its determinism cost: the same kernels with a watchpoint, a breakpoint, a condition,
in a build that does not count instructions (meson's option `uncounted`; without it that row is left out), and with stores
that mark what they wrote, as they do where the past is remembered.

The column WITHOUT is ours with none of that; QEMU is asked for its points through its gdb server.
"""

import os
import socket
import statistics
import subprocess
import tempfile
import time

from table import OURS, Aim

WITHOUT, PLAIN = 'without', 'qemu'
ROWS = ['emulator-watch', 'emulator-break', 'emulator-counting', 'emulator-marks', 'emulator-condition']
AIMS = {'emulator-watch': Aim(1.5, WITHOUT), 'emulator-break': Aim(1.02, WITHOUT), 'emulator-counting': Aim(1.08, WITHOUT),
        'emulator-marks': Aim(1.08, WITHOUT)}
COUNTED_KERNELS = ('CRC', 'CALLS', 'INDIRECT', 'LIST', 'SORT', 'FLOAT', 'MIXED')
WATCHED = 4096 - 8  # in `page`: a word that is never written
LIMIT = ['--limit', str(10 ** 15)]


class Stub:
    """A gdb server on a local socket."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(120)
        for attempt in range(200):
            try:
                self.socket.connect(path)
                break
            except OSError:
                if attempt == 199:
                    raise
                time.sleep(0.02)  # until it listens
        self.bytes = b''

    def send(self, text):
        self.socket.sendall(f'${text}#{sum(text.encode()) & 255:02x}'.encode())

    def receive(self):
        """The next packet; None when the other side is gone."""
        while b'#' not in self.bytes[:-2]:
            more = self.socket.recv(65536)
            if not more:
                return None
            self.bytes += more
        packet, _, rest = self.bytes.partition(b'#')
        self.bytes = rest[2:]
        self.socket.sendall(b'+')
        return packet.partition(b'$')[2].decode()

    def ask(self, text):
        self.send(text)
        return self.receive()


def address_of(program, symbol):
    names = subprocess.run(['riscv64-unknown-elf-nm', program], check=True, capture_output=True, text=True).stdout
    return next(int(line.split()[0], 16) for line in names.splitlines() if line.split()[-1] == symbol)


def paused(command, folder):
    """QEMU with a gdb server, before its first instruction."""
    path = os.path.join(folder, 'stub')
    if os.path.exists(path):
        os.unlink(path)
    process = subprocess.Popen([*command, '-S', '-gdb', f'unix:{path},server=on,wait=off'],  # pylint: disable=consider-using-with
                               stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return process, Stub(path)


def with_point(command, folder, point):
    """Seconds of processor time of QEMU with a point that is not met."""
    process, stub = paused(command, folder)
    stub.ask(point)
    stub.send('c')
    reply = stub.receive()
    _, status, usage = os.wait4(process.pid, 0) if reply is None or reply.startswith('W') else (0, 1, None)
    if usage is None:
        process.kill()
        process.wait()
        return f'stopped: {reply}'
    process.returncode = status
    return [usage.ru_utime + usage.ru_stime] if status == 0 else 'failed'


def false_hits(command, folder, address, hits):
    """Nanoseconds for each hit of a breakpoint whose condition the debugger finds false, with the least of packets."""
    process, stub = paused(command, folder)
    at, begin = f'0,{address:x},4', 0.0
    stub.ask('Z' + at)
    stub.ask('vCont;c')
    for hit in range(hits + 1):
        if hit == 1:
            begin = time.monotonic()
        for text in ('g', 'z' + at, 'vCont;s', 'Z' + at, 'vCont;c'):
            stub.ask(text)
    taken = time.monotonic() - begin
    process.kill()
    process.wait()
    return [taken / hits * 1e9]


def pair(sample, commands, cpus, rounds):
    """Samples of ours with and without something, in turn."""
    samples = {name: [] for name in commands}
    for _ in range(rounds):
        for name, command in commands.items():
            taken = sample(command, cpus)
            if taken is None:
                return {name: 'failed' for name in commands}
            samples[name].append(taken)
    return samples


def all_kernels(what, ours, without, make, sample, cpus, rounds):
    """A row of all kernels, one behind the other."""
    sums = {OURS: [0.0] * rounds, WITHOUT: [0.0] * rounds}
    for name in COUNTED_KERNELS:
        # What does not count does not end by itself in the interpreter, which comes to all code first, if it is asked to.
        words = ['--translate', '--heat', '0', *LIMIT, make(name)]
        samples = pair(sample, {OURS: [*ours, *words], WITHOUT: [*without, *words]}, cpus, rounds)
        for who, taken in samples.items():
            if isinstance(taken, str):
                return {'unit': 's', 'what': what, 'servers': samples}
            sums[who] = [a + b for a, b in zip(sums[who], taken)]
    return {'unit': 's', 'what': what, 'servers': sums}


def condition(machine, program, sample, cpus, rounds, hits):
    """Nanoseconds for each hit of a breakpoint with a false condition."""
    plain = [machine, '--translate', *LIMIT, program]
    samples = pair(sample, {OURS: [*plain, '--never', hex(address_of(program, 'add'))], WITHOUT: plain}, cpus, rounds)
    if isinstance(samples[OURS], str):
        return samples[OURS]
    return [max(statistics.median(samples[OURS]) - statistics.median(samples[WITHOUT]), 0) / hits * 1e9]


def measure(options, qemu, build, sample):
    """The rows. `qemu` is its command without a program, or empty; build(folder, kernel, times) and sample(command,
    cpus) are those of emulator.py."""
    machine = os.path.join(options.build, 'tests', 'emulator', 'run-machine')
    cpus = {int(cpu) for cpu in options.cpus.split(',')}
    wanted = {name for name in options.rows.split(',') if name} & set(ROWS) if options.rows else set(ROWS)
    rounds, times, rows = (1, 1, {}) if options.quick else (2 * options.prompt_rounds, 100, {})
    with tempfile.TemporaryDirectory(prefix='trapline-bench-') as folder:
        page = build(folder, 'PAGE', times)
        plain = [machine, '--translate', *LIMIT, page]
        watched, never = address_of(page, 'page') + WATCHED, address_of(page, 'never')
        if 'emulator-watch' in wanted:
            servers = pair(sample, {OURS: [*plain, '--watch', hex(watched)], WITHOUT: plain}, cpus, rounds)
            if qemu:
                servers[PLAIN] = with_point([*qemu, '-kernel', page], folder, f'Z2,{watched:x},8')
            rows['emulator-watch'] = {'unit': 's', 'what': 'a sort beside a watched word', 'servers': servers}
        if 'emulator-break' in wanted:
            servers = pair(sample, {OURS: [*plain, '--break', hex(never)], WITHOUT: plain}, cpus, rounds)
            if qemu:
                servers[PLAIN] = with_point([*qemu, '-kernel', page], folder, f'Z0,{never:x},4')
            rows['emulator-break'] = {'unit': 's', 'what': 'the same, a breakpoint on the page of its code', 'servers': servers}
        for row, what, ours, without in (
                ('emulator-counting', 'counting instructions, all kernels', [machine], [f'{machine}-uncounted']),
                ('emulator-marks', 'marking what is written, all kernels', [machine, '--marks'], [machine])):
            if row in wanted and os.access(without[0], os.X_OK):
                rows[row] = all_kernels(what, ours, without, lambda name: build(folder, name, times), sample, cpus, rounds)
        if 'emulator-condition' in wanted:
            program = build(folder, 'INDIRECT', 4 * times)
            servers = {OURS: condition(machine, program, sample, cpus, rounds, 600000 * times)}
            if qemu:
                servers[PLAIN] = false_hits([*qemu, '-kernel', program], folder, address_of(program, 'add'),
                                            10 if options.quick else 1000)
            rows['emulator-condition'] = {'unit': 'ns', 'what': 'a false condition, for each hit', 'servers': servers}
    return rows
