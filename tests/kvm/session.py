"""What scenes of the virtual machine are made of: a machine that runs the guest `crowd` (guests/crowd.c) behind
`trapline --serve`, a client connected to it, and what both know of the guest."""

import collections
import os
import pathlib
import select
import signal
import subprocess
import sys
import tempfile
import time

import elf
from client import Client, Stop
from drivers import SocketConnection
from registry import Failed, Skip, check, equal, wait_until

SCENES = []
RUNNING = []  # machines that a scene is at
TRACED = 300  # lines of a trace that are shown
Scene = collections.namedtuple('Scene', 'function name least most fast points guest options served leaving')

# Requests to the guest: crowd.c.
(INT3, INT_3, ICEBP, WATCH, TIMER, QUIET, HALT, FLAGS, TRIPLE, OFF, RESET, TRACE, TABLES, BLOCKED, STORE, NMI, ODD, MAP,
 FAR) = range(1, 20)


def scene(least=1, most=4, fast=False, points=True, guest='crowd', options=(), served=True, leaving=()):
    """Registers a scene for so many processors; `points` says that it needs breakpoints that work. Without `served` it
    gets no machine, but a Typed, and starts what it wants to itself. `leaving`: options of the server."""
    def register(function):
        SCENES.append(Scene(function, function.__name__, least, most, fast, points, guest, options, served, leaving))
        return function
    return register


def descendants():
    """This process and what came of it: {process: (name, threads)}."""
    parents = {}
    for entry in pathlib.Path('/proc').glob('[0-9]*'):
        try:
            parents[int(entry.name)] = int((entry / 'stat').read_text().rpartition(')')[2].split()[1])
        except OSError:
            continue
    found = {os.getpid()}
    while more := {child for child, parent in parents.items() if parent in found} - found:
        found |= more
    return sorted(found)


def waiting():
    """Every thread of ours, with what it waits for."""
    lines = ['who waits for what:']
    for process in descendants():
        for entry in sorted(pathlib.Path(f'/proc/{process}/task').glob('[0-9]*')):
            try:
                fields = (entry / 'stat').read_text().rpartition(')')
                lines.append(f'  {process}/{entry.name} {fields[0].partition("(")[2]} state {fields[2].split()[0]} in {(entry / "wchan").read_text()}')
            except OSError:
                continue
    return '\n'.join(lines)


def out_of_time(*_):
    shown = [waiting()] + [machine.shown() for machine in RUNNING]
    print('FAILED the run is past its time\n    ' + '\n'.join(shown).replace('\n', '\n    '), flush=True)
    print('0 passed, 1 failed, 0 skipped', flush=True)
    os._exit(3)


def read_symbols(path):
    """Of a guest, or of the file of 64 bits that it was made of."""
    return elf.symbols(path + '.symbols' if os.path.exists(path + '.symbols') else path)


class Machine:
    """A virtual machine that is served, and a client of it."""

    def __init__(self, options, cpus, what):
        self.cpus, self.options, self.what = cpus, options, what
        self.directory = tempfile.mkdtemp(prefix='kvm-')
        path = os.path.join(options.guests, what.guest)
        if what.guest == 'linux':
            self.symbols, words = {}, ['--memory', '256M', '--serial', '-', '--kernel', path, '--initrd', path + '.files']
            if not os.path.exists(path):
                raise Skip('Linux as a guest is a part of its own')
        else:
            self.symbols, words = read_symbols(path), ['--memory', '32M', '--serial', 'none', path]
        self.client = None
        self.trace = pathlib.Path(self.directory) / 'trace'
        tracing = ['--trace', f'{options.trace}:{self.trace}'] if options.trace else []
        command = [options.trapline, *tracing, '--serve', ':0', *what.leaving, 'kvm', '--cpus', str(cpus), *what.options,
                   *words]
        self.connection = SocketConnection(command, 'kvm', r'Listening on port \d+ \((127\.0\.0\.1):(\d+)\)',
                                           lambda process: process.send_signal(signal.SIGTERM), self.directory)
        self.stopped = None
        try:
            self.connect()
        except BaseException:
            self.connection.stop()
            raise
        RUNNING.append(self)

    def __getitem__(self, name):
        return self.symbols[name]

    def connect(self):
        """A client finds the machine stopped, and asks what stopped, as gdb does."""
        stream_in, stream_out = self.connection.open()
        self.client = Client(stream_in, stream_out, 'kvm')
        self.client.start()
        self.stopped = Stop(self.client.ask('?'))
        return self.client

    def hang_up(self):
        """The client goes without a word."""
        self.client.close()
        self.client = None

    def close(self):
        RUNNING.remove(self)
        if self.client is not None:
            self.client.close()
        self.connection.stop()

    def shown(self):
        text = ''
        if self.client is not None:
            text += '\nthe last packets:\n' + self.client.transcript()
        text += '\nthe server said:\n' + bytes(self.connection.said).decode('latin-1')[-2000:]
        if self.trace.exists():
            text += '\nthe trace:\n' + '\n'.join(self.trace.read_text(errors='replace').splitlines()[-TRACED:])
        return text + '\n' + waiting()

    def still_whole(self):
        """At the end of every scene: the server lives."""
        check(self.connection.process.poll() is None or self.what.name.startswith('ends'), 'the server has ended by itself')

    # ---- what the guest has in memory ----

    def words(self, name, count=None):
        data = self.client.read(self[f'crowd_{name}'], 8 * (count or self.cpus))
        return [int.from_bytes(data[at:at + 8], 'little') for at in range(0, len(data), 8)]

    def word(self, name, cpu=0):
        return self.client.word(self[f'crowd_{name}'] + 8 * cpu)

    def set(self, name, value, cpu=0):
        self.client.set_word(self[f'crowd_{name}'] + 8 * cpu, value)

    def request(self, number, argument=0, cpu=0):
        self.set('argument', argument, cpu)
        self.set('request', number, cpu)

    # ---- running ----

    def threads(self):
        return self.client.threads()

    def thread(self, cpu):
        return self.threads()[cpu]

    def pcs(self):
        return [self.client.pc(thread) for thread in self.threads()]

    def stop(self):
        """Interrupts what runs; the stop is nothing but that."""
        self.client.interrupt()
        self.stopped = self.client.wait_stop('the stop after an interrupt')
        check(self.stopped.kind == 'T' and self.stopped.signal in (0, 2), f'an interrupt ends in {self.stopped}')
        check(not any(self.stopped.has(key) for key in ('swbreak', 'hwbreak', 'watch', 'rwatch', 'awatch')),
              f'an interrupt is told as {self.stopped}')
        return self.stopped

    def run_until(self, condition, what, turns=200):
        """Lets everybody run, a moment at a time, until the guest's memory says so."""
        for _ in range(turns):
            if condition():
                return
            self.client.resume('c')
            self.client.nothing_comes(0.01)
            self.stop()
        raise Failed(f'waited in vain for {what}')

    def gather(self):
        """Until every processor goes round."""
        self.run_until(lambda: self.word('running') == self.cpus and all(count > 2 for count in self.words('counter')),
                       'all processors to go round')

    def serve(self, number, argument=0, cpu=0):
        """Has the guest do something, and waits until it says that it has."""
        before = self.word('done', cpu)
        self.request(number, argument, cpu)
        self.run_until(lambda: self.word('done', cpu) == before + 1, f'request {number} to be served')

    def run_to(self, address, kind=0, count=1, keep=False, pass_by=True):
        """Runs until somebody is at a breakpoint there; it is taken out again."""
        self.client.insert(kind, address)
        for _ in range(count):
            if pass_by and self.stopped is not None and self.client.pc(self.stopped.thread) == address:
                self.client.remove(kind, address)
                self.client.step(self.stopped.thread)
                self.client.insert(kind, address)
            self.stopped = self.client.run()
            check(self.stopped.kind == 'T' and self.stopped.signal == 5, f'running to {address:#x} ended with {self.stopped}')
            equal(self.client.pc(self.stopped.thread), address, 'the program counter')
        if not keep:
            self.client.remove(kind, address)
        return self.stopped

    def cpu_of(self, stop):
        return self.threads().index(stop.thread)

    def books(self):
        """What must hold whenever all stand: nobody was lost, nothing came that nobody asked for."""
        surprises = self.words('surprises')
        if any(surprises):
            cpu = next(i for i, count in enumerate(surprises) if count)
            raise Failed(f'processor {cpu} met exception {self.word("surprise", cpu)} at {self.word("surprise_address", cpu):#x}')
        for cpu, (rounds, calls) in enumerate(zip(self.words('counter'), self.words('hot_calls'))):
            check(calls in (rounds, rounds - 1), f'processor {cpu} went round {rounds} times and made {calls} calls')


def end(process, seconds=10):
    """Waits for a program to end by itself; whether it did."""
    try:
        process.wait(seconds)
        return True
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        return False


class Line:
    """A descriptor that a person would sit at: what comes, and what is typed."""

    def __init__(self, descriptor):
        self.descriptor, self.text, self.at = descriptor, '', 0
        os.set_blocking(descriptor, False)

    def until(self, wanted, seconds=60):
        """What comes up to and with `wanted`, from where the last such wait ended."""
        end, begin = time.monotonic() + seconds, self.at
        while wanted not in self.text[begin:]:
            check(select.select([self.descriptor], [], [], max(0, end - time.monotonic()))[0], f'waited in vain for {wanted!r}: {self.text[-1500:]!r}')
            try:
                part = os.read(self.descriptor, 65536)
            except OSError:
                part = b''
            check(part, f'it has ended, without {wanted!r}: {self.text[-1500:]!r}')
            self.text += part.decode('latin-1').replace('\r', '')
        self.at = self.text.index(wanted, begin) + len(wanted)
        return self.text[begin:self.at]

    def type(self, text):
        os.write(self.descriptor, text.encode())


class Typed:
    """A debugger at the other end of two pipes, that a person would type at: what is typed, and what it answers."""

    def __init__(self, options, cpus, what):
        self.options, self.cpus, self.what = options, cpus, what
        self.process, self.line, self.marks = None, None, 0

    def start(self, command):
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True)
        self.line = Line(self.process.stdout.fileno())

    def say(self, line, seconds=60):
        """A command, and all of its answer."""
        self.marks += 1
        self.process.stdin.write(f'{line}\necho done-{self.marks}.\\n\n'.encode())
        self.process.stdin.flush()
        return self.line.until(f'done-{self.marks}.\n', seconds)

    def still_whole(self):
        check(self.process is None or self.process.poll() is None, 'the debugger has ended by itself')

    def shown(self):
        return '\nwhat was said:\n' + (self.line.text[-4000:] if self.line else '') + '\n' + waiting()

    def close(self):
        if self.process is None:
            return
        if self.process.stdin is not None:
            self.process.stdin.close()
        end(self.process)


__all__ = ['scene', 'Line', 'end', 'Skip', 'Failed', 'check', 'equal', 'wait_until', 'Stop', 'INT3', 'INT_3', 'ICEBP', 'WATCH',
           'TIMER', 'QUIET', 'HALT', 'FLAGS', 'TRIPLE', 'OFF', 'RESET', 'TRACE', 'TABLES', 'BLOCKED', 'STORE', 'NMI', 'ODD', 'MAP', 'FAR']
