#!/usr/bin/env python3
"""Sessions of stock gdb and of scripted packets with the stub in a machine of four processors (tests/stub/busy.c), on
x86-64 and on arm64.

QEMU emulates the machine: its debug registers, its single steps, its interrupts between processors. Nothing here sleeps
to wait; every wait has a deadline.
"""

import argparse
import os
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / 'tests/conformance'))
import bytecode  # pylint: disable=wrong-import-position,import-error
import elf  # pylint: disable=wrong-import-position,import-error
from client import Client, Stop  # pylint: disable=wrong-import-position,import-error

PROCESSORS = 4
DEADLINE = 30
SIGILL, SIGFPE, SIGSEGV = 4, 8, 11


class Failed(AssertionError):
    """What the stub did was wrong."""


class X86:
    """A PC."""

    name, image, gdb = 'x86-64', 'stub-busy', 'gdb'
    emulator = ['qemu-system-x86_64', '-m', '32']
    program_counter = 0x10
    handler, handler_size = 'interrupt_entry', 64
    tasks = None
    fault_handler, fault_handler_size, fault_size = 'fault_entry', 1, 2
    watchpoints = 4
    flags, fault_flags = 'eflags', 0x10000  # RF: the machine saves it set
    exceptions = {1: ('divide', SIGFPE, r'Divide error \(vector 0x0, error code 0x0'),
                  2: ('opcode', SIGILL, r'Invalid opcode \(vector 0x6, error code 0x0'),
                  3: ('read', SIGSEGV, r'Page fault \(vector 0xe, error code 0x0, address 0x8'),
                  4: ('write', SIGSEGV, r'Page fault \(vector 0xe, error code 0x2, address 0x10'),
                  5: ('protection', SIGSEGV, r'General protection \(vector 0xd, error code 0x0'),
                  6: ('jump', SIGSEGV, r'Page fault \(vector 0xe, error code 0x\d+, address 0x20')}

    @staticmethod
    def flags_are_right(flags):
        """Interrupts on, no trap flag."""
        return flags & 0x300 == 0x200


class Arm64:
    """QEMU's virt with 64-bit Arm."""

    name, image, gdb = 'arm64', 'stub-busy-arm64', 'gdb-multiarch'
    emulator = ['qemu-system-aarch64', '-M', 'virt', '-cpu', 'cortex-a57', '-m', '64']
    program_counter = 0x20
    handler, handler_size = 'vectors', 2048
    tasks = 'stubs/stub-tasks-arm64'
    fault_handler, fault_handler_size, fault_size = 'on_exception', 256, 4
    watchpoints = 4
    flags, fault_flags = 'cpsr', 0
    exceptions = {2: ('opcode', SIGILL, r'Undefined instruction \(ESR_EL1 0x2000000'),
                  3: ('read', SIGSEGV, r'Data abort \(ESR_EL1 0x9600000[4-7], address 0x8'),
                  4: ('write', SIGSEGV, r'Data abort \(ESR_EL1 0x9600004[4-7], address 0x10'),
                  6: ('jump', SIGSEGV, r'Instruction abort \(ESR_EL1 0x8600000[4-7], address 0x20')}

    @staticmethod
    def flags_are_right(flags):
        """Nothing masked."""
        return flags & 0x3c0 == 0


class Arm64Max(Arm64):
    """All that QEMU knows of the architecture."""

    name = 'arm64-max'
    emulator = ['qemu-system-aarch64', '-M', 'virt', '-cpu', 'max', '-m', '64']


CPUS = {cpu.name: cpu for cpu in (X86, Arm64, Arm64Max)}


def check(truth, what):
    if not truth:
        raise Failed(what)


class Machine:
    """A machine whose serial line is a socket of ours: the same line for one debugger after another."""

    def __init__(self, build, cpu, at_once=True, image=None, processors=PROCESSORS, more=None):
        self.build, self.cpu = build, cpu
        self.image = os.path.join(build, image or os.path.join('tests/stub', cpu.image))
        self.symbols = elf.symbols(self.image)
        self.folder = tempfile.mkdtemp(prefix='stub-')
        self.path = os.path.join(self.folder, 'line')
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(self.path)
        listener.listen(1)
        listener.settimeout(DEADLINE)
        self.process = subprocess.Popen(
            [*cpu.emulator, '-accel', f'tcg,thread={"multi" if at_once else "single"}', '-display', 'none',
             *(more(self.folder) if more else ['-monitor', 'none']), '-nodefaults', '-no-reboot', '-smp', str(processors),
             '-chardev', f'socket,path={self.path},id=line', '-serial', 'chardev:line', '-kernel', self.image],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        self.line, _ = listener.accept()
        self.line.settimeout(DEADLINE)
        listener.close()
        said = b''
        while not said.endswith(b'\n'):
            said += self.line.recv(1)
        check(said.startswith(b'waiting'), f'the machine says {said!r}')

    def client(self):
        """Another debugger at the same line."""
        client = Client(os.dup(self.line.fileno()), os.dup(self.line.fileno()), 'stub')
        client.start()
        return client

    def debugger(self, command):
        """What a debugger says. `command` makes its words from an address; there the line is to be had for one client."""
        listener = socket.create_server(('127.0.0.1', 0), backlog=1)
        listener.settimeout(DEADLINE)
        program = subprocess.Popen(command('127.0.0.1:%d' % listener.getsockname()[1]), stdin=subprocess.DEVNULL,
                                   stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        try:
            try:
                peer, _ = listener.accept()
            except TimeoutError as error:
                program.kill()
                raise Failed(f'it does not connect, but says: {program.communicate()[0].decode("latin-1")}') from error
            between = subprocess.Popen([sys.executable, __file__, '--relay', str(peer.fileno()), str(self.line.fileno())],
                                       pass_fds=(peer.fileno(), self.line.fileno()))
            peer.close()
            try:
                text = program.communicate(timeout=DEADLINE)[0].decode('latin-1')
            except subprocess.TimeoutExpired as error:
                program.kill()
                raise Failed(f'it does not end; so far: {program.communicate()[0].decode("latin-1")}') from error
            between.wait(DEADLINE)
        finally:
            program.kill()
            listener.close()
        return text

    def script(self, lines):
        path = os.path.join(self.folder, 'script')
        pathlib.Path(path).write_text('\n'.join(lines) + '\n', encoding='ascii')
        return path

    def gdb(self, lines):
        settings = ['set pagination off', 'set confirm off', 'set width 0', 'set remotetimeout 20']
        return self.debugger(lambda address: [self.cpu.gdb, '-nx', '-q', '-batch', '-x', self.script(
            [*settings, f'target remote {address}', *lines]), self.image])

    def lldb(self, lines):
        return self.debugger(lambda address: ['lldb', '-x', '-b', '-s', self.script(
            [f'gdb-remote {address}', *lines]), self.image])

    def trapline(self, lines):
        return self.debugger(lambda address: [os.path.join(self.build, 'trapline'), '-q', '-nx', '--batch', '-x',
                                              self.script(lines), 'connect', address, self.image])

    def end(self):
        self.process.kill()
        self.process.wait()
        self.process.stderr.close()
        self.line.close()
        shutil.rmtree(self.folder, ignore_errors=True)


def relay(one, other):
    """Bytes both ways until the debugger's side ends."""
    import select  # pylint: disable=import-outside-toplevel
    while True:
        ready, _, _ = select.select([one, other], [], [], DEADLINE)
        if not ready:
            return 1
        for source in ready:
            data = os.read(source, 4096)
            if not data:
                return 0
            to = other if source == one else one
            while data:
                data = data[os.write(to, data):]


def expect(text, *patterns):
    """The patterns, in order."""
    at = 0
    for pattern in patterns:
        match = re.compile(pattern, re.MULTILINE).search(text, at)
        check(match, f'/{pattern}/ does not come in:\n{text}')
        at = match.end()


# ---- Sessions of gdb ----

def gdb_sees_everything(machine):
    """Breakpoints, conditions, steps, processors as threads; leaving, and coming back."""
    text = machine.gdb(['info threads', 'break meet if number == 2', 'continue', 'info threads', 'backtrace', 'print number',
                        'finish', 'delete', 'detach'])
    expect(text, r'processor 0', r'hit Breakpoint 1, meet \(number=(number@entry=)?2\)', r'processor 3', r'#0 +meet \(number=(number@entry=)?2\)',
           r'#1 .* work \(number=(number@entry=)?2\)', r'\$1 = 2', r'^work \(number=')
    text = machine.gdb(['print rounds[0] > 0 && rounds[3] > 0', 'stepi', 'detach'])
    expect(text, r'\$1 = 1')


def gdb_watches_from_every_processor(machine):
    """The scenario that KGDB cannot do: which watchpoint, its old and its new value, on whichever processor."""
    for number in range(PROCESSORS):
        text = machine.gdb([f'set watched = {10 * number}', 'watch watched', f'set writer = {number}', 'continue', 'backtrace',
                            'info threads', 'delete', 'detach'])
        expect(text, r'hit Hardware watchpoint 1: watched', rf'Old value = {10 * number}\n', rf'New value = {11 * number + 1}\n',
               rf'#0 .*work \(number=(number@entry=)?{number}\)', rf'^\* \d+ .*processor {number}')
    text = machine.gdb(['rwatch watched', 'set reader = 3', 'continue', 'delete', 'awatch watched', 'set reader = 1', 'continue',
                        'set writer = 2', 'continue', 'continue', 'delete', 'detach'])
    expect(text, r'hit Hardware read watchpoint 1: watched', r'Value = \d+', r'hit Hardware access \(read/write\) watchpoint 2',
           r'Value = ', r'hit Hardware access \(read/write\) watchpoint 2', r'Old value = ', r'New value = ')


def gdb_arms_four_and_no_fifth(machine):
    """Four watchpoints at once; the fifth is refused with a reason."""
    text = machine.gdb(['watch watched', 'watch other[0]', 'watch other[1]', 'watch other[2]', 'set writer = 1', 'continue',
                        'watch seen', 'continue', 'detach'])
    expect(text, r'hit Hardware watchpoint 1: watched', r'debug registers|hardware breakpoints|Could not insert')


def lldb_and_the_prompt_see_the_same(machine):
    """The same stop by lldb and at Trapline's own prompt."""
    text = machine.lldb(['breakpoint set -n meet', 'continue', 'bt', 'breakpoint delete -f', 'watchpoint set variable watched',
                         f'memory write -s 8 {machine.symbols["writer"]:#x} 1', 'continue', 'detach'])
    expect(text, r'stop reason = breakpoint 1', r'frame #0: .*meet\(number=\d\)', r'frame #1: .*work\(number=\d\)',
           r'stop reason = watchpoint 1')
    text = machine.trapline(['info threads', 'break meet if number == 1', 'continue', 'backtrace', 'delete', 'watch watched',
                             'set variable writer = 3', 'continue', 'delete', 'detach'])
    expect(text, r'processor 3', r'hit Breakpoint 1, meet \(number=(number@entry=)?1\)', r'#1 .* work \(number=(number@entry=)?1\)',
           r'hit Hardware watchpoint 2: watched', r'Old value = 2\n', r'New value = 6\n')


def gdb_calls_functions(machine):
    """Functions of the program's, called on the stack of a processor that stands, and the program goes on as if nothing had been."""
    text = machine.gdb(['break meet if number == 2', 'continue', 'delete', 'set scheduler-locking on', 'set variable flags_seen = 0',
                        'call read_flags()', 'print flags_seen != 0', 'print rounds[1] + 1', 'call meet(1)', 'print rounds[1]', 'backtrace',
                        'stepi', 'stepi', 'set scheduler-locking off', 'break meet if number == 2', 'continue', 'detach'])
    expect(text, r'hit Breakpoint 1, meet', r'\$1 = 1\n', r'\$2 = (\d+)\n\$3 = \1\n', r'#0 +meet \(number=(number@entry=)?2\)',
           r'#1 .* work \(number=(number@entry=)?2\)', r'hit Breakpoint 2, meet')


# ---- Scripted packets ----

def leave(client):
    client.order('D')
    client.close()


def steps_stay_in_the_code(machine):
    """1,000 steps under a timer that fires a thousand times a second: none leads into its handler."""
    client = machine.client()
    straight, ticks, entry = (machine.symbols[name] for name in ('straight', 'machine_ticks', machine.cpu.handler))
    client.insert(0, straight)
    stop = client.run()
    client.remove(0, straight)
    check(stop.thread == '1', f'processor {stop.thread} runs straight()')
    before = client.word(ticks)
    for _ in range(1000):
        place = int.from_bytes(client.step('1').registers[machine.cpu.program_counter], 'little')
        check(not entry <= place < entry + machine.cpu.handler_size, f'a step ends in the handler, at {place:#x}')
    # And time goes on as soon as the program does.
    client.insert(0, straight)
    while client.word(ticks) == before:
        client.run()
        client.remove(0, straight)
        client.step('1')
        client.insert(0, straight)
    client.remove(0, straight)
    leave(client)


def pushed_flags_are_the_programs(machine):
    """Steps over pushf leave neither the trap flag nor a masked interrupt flag on the stack; nor does `mrs daif` see ours."""
    client = machine.client()
    work, flags = machine.symbols['read_flags'], machine.symbols['flags_seen']
    for _ in range(8):
        client.insert(0, work)
        client.run()
        client.remove(0, work)
        client.set_word(flags, 0)
        while client.word(flags) == 0:
            client.step('1')
        check(machine.cpu.flags_are_right(client.word(flags)), f'the program saw its flags as {client.word(flags):#x}')
    leave(client)


def all_meet_one_breakpoint(machine):
    """Every processor hits it; each is told, and when it is gone nothing stray comes."""
    client = machine.client()
    meet, rounds = machine.symbols['meet'], machine.symbols['rounds']
    client.insert(0, meet)
    told = set()
    while len(told) < PROCESSORS:
        stop = client.run()
        check(stop.has('swbreak'), f'{stop} is no breakpoint')
        told.add(stop.thread)
        # As gdb does: the point out, one step of that processor alone, and in again.
        client.remove(0, meet)
        client.step(stop.thread)
        client.insert(0, meet)
    client.remove(0, meet)
    before = [client.word(rounds + 8 * n) for n in range(PROCESSORS)]
    client.resume()
    client.write(b'\x03')
    stop = client.wait_stop()
    check(stop.signal == 2, f'{stop} came, and not the interrupt')
    for n in range(PROCESSORS):
        check(client.word(rounds + 8 * n) >= before[n], f'processor {n} went back')
    leave(client)


def false_conditions_stay_in_ring_0(machine):
    """A condition in bytecode is decided where it is hit: rounds go by, and no packet until it is true."""
    client = machine.client()
    meet, rounds = machine.symbols['meet'], machine.symbols['rounds']
    before = client.word(rounds)
    wanted = before + 1000
    client.insert(0, meet, conditions=[bytecode.equal(bytecode.word(rounds), bytecode.constant(wanted)) + bytecode.END])
    stop = client.run()
    check(stop.has('swbreak'), f'{stop} is no breakpoint')
    check(client.word(rounds) == wanted, f'it stopped after {client.word(rounds) - before} rounds, not after 1000')
    client.remove(0, meet)
    leave(client)


def a_lost_debugger_leaves_nothing(machine):
    """A debugger that says no word any more, and another that comes: the first one's points are gone."""
    client = machine.client()
    meet = machine.symbols['meet']
    client.insert(0, meet, conditions=[bytecode.always(0) + bytecode.END])
    client.resume()
    client.close()
    second = machine.client()
    check(Stop(second.ask('?')).thread is not None, 'nothing stands')
    second.resume()
    second.write(b'\x03')
    stop = second.wait_stop()
    check(stop.signal == 2, f'{stop}: something of the first debugger is left')
    leave(second)


def garbage_is_survived(machine):
    """Half packets, wrong checksums, packets that are too long: then an ordinary session."""
    for garbage in (b'$m400000,4#00', b'$$$$', b'\x03\x03', b'$' + b'x' * 5000 + b'#00', b'}#]*' * 50, b'$vCont;s:9#10',
                    b'$Z0,zz#00', b'$g#67' * 3, bytes(range(256)), b'$qSupp', b'$qSupported#37' * 2):
        machine.line.sendall(garbage)
    # What was answered to that is taken off the line, up to something that only we ask for.
    text = b'm%x,2' % machine.symbols['writer']
    machine.line.sendall(b'$qSupported#37$' + text + b'#%02x' % (sum(text) & 255))
    answers = b''
    while not re.search(rb'\$0400#..', answers):
        try:
            answers += machine.line.recv(4096)
        except TimeoutError as error:
            raise Failed(f'after the garbage there came only {answers!r}') from error
    machine.line.sendall(b'+')
    gdb_sees_everything(machine)


def tasks_are_stepped_by_their_kernel(machine):
    """A kernel steps a task at EL0 by SPSR.SS and MDSCR_EL1.SS, with switches between: the stub leaves it what is its own."""
    client, names = machine.client(), machine.symbols
    code, length = TASKS, names['task_code_end'] - names['task_code']
    loop = list(range(code + 4, code + length, 4))
    client.insert(0, names['steps_done'])
    client.set_word(names['wanted'], 20)
    client.run()
    check(client.word(names['steps']) == 20, f'{client.word(names["steps"])} steps were made')
    ends = [client.word(names['trace'] + 8 * n) for n in range(20)]
    first = loop.index(ends[0])
    check(ends == [loop[(first + n) % len(loop)] for n in range(20)], f'the steps ended at {[hex(end) for end in ends]}')
    check(client.word(names['switches']) >= 20, 'no other task came between')
    # And no step is left once the task runs on.
    client.remove(0, names['steps_done'])
    client.insert(0, names['system_call'])
    for _ in range(10):
        client.run()
        client.remove(0, names['system_call'])
        client.step('1')
        client.insert(0, names['system_call'])
    check((client.word(names['steps']), client.word(names['stray'])) == (20, 0),
          f'{client.word(names["steps"])} steps, {client.word(names["stray"])} stray ones')
    client.remove(0, names['system_call'])
    leave(client)


def steps_lead_from_a_task_into_the_kernel(machine):
    """The debugger steps at EL0 too; over a system call the step ends in the kernel's handler, and says why."""
    client, names = machine.client(), machine.symbols
    client.insert(1, TASKS + 4)
    check(client.run().has('hwbreak'), 'the task does not come to its loop')
    client.remove(1, TASKS + 4)
    for offset in (8, 12, 16):
        place = int.from_bytes(client.step('1').registers[machine.cpu.program_counter], 'little')
        check(place == TASKS + offset, f'a step ends at {place:#x}')
    stop = client.step('1')
    place = int.from_bytes(stop.registers[machine.cpu.program_counter], 'little')
    check(names['on_exception'] <= place < names['on_exception'] + 256, f'the step over svc ends at {place:#x}')
    # What the handler reads then is its own exception's: it is the system call that it was.
    client.insert(0, names['system_call'])
    check(client.run().has('swbreak'), 'the kernel does not come to its system call')
    client.remove(0, names['system_call'])
    leave(client)


def given_up(machine, client):
    """x86: a step over a fault, with no debug register free for the handler's first instruction, stops at a breakpoint in the handler.
    The stop, where the breakpoints in it are, and all that were set."""
    names = machine.symbols
    client.insert(0, names['provoke'])
    client.set_word(names['provoked'], 1)
    stop = client.run()
    client.remove(0, names['provoke'])
    place, handler = names['provoke'], names['fault_entry']
    while client.read(place, 2) != b'\x0f\x0b':
        place = int.from_bytes(client.step(stop.thread).registers[0x10], 'little')
    code = client.read(handler, 48)
    inside = [handler + code.index(b'\x48\x83\x04\x24\x02') + 5, handler + code.index(b'\x48\xcf')]  # behind addq $2, (%rsp); at iretq
    points = inside + [names['processor_main'], names['main']]
    for point in points:
        client.insert(1, point)
    stopped = client.step(stop.thread)
    check(client.pc(stopped.thread) == inside[0], f'{stopped} is at {client.pc(stopped.thread):#x}')
    return stopped, inside, points


def nothing_stray(client):
    """All run, and the next stop is the one that is asked for."""
    client.resume()
    client.write(b'\x03')
    stopped = client.wait_stop()
    check(stopped.signal == 2, f'{stopped} came, and not the interrupt')


def a_step_given_up_in_a_handler_leaves_no_trap(machine):
    """x86: what is met in the handler meanwhile finds the handler's own flags, and when it has returned no trap of the step is told."""
    if machine.cpu is not X86:
        return
    client = machine.client()
    _, inside, points = given_up(machine, client)
    stopped = client.run()
    check(client.pc(stopped.thread) in inside, f'{stopped} is at {client.pc(stopped.thread):#x}')
    check(client.register('eflags', stopped.thread) & 0x300 == 0, f'{stopped}: the handler has the flags of the program')
    for point in points:
        client.remove(1, point)
    nothing_stray(client)
    leave(client)


def a_step_given_up_is_over_when_its_handler_is_stepped(machine):
    """x86: gdb goes on from a breakpoint by a step. In the handler that takes nothing of what the handler's return is to put right: neither
    the trap flag nor the mask of the step that was given up stays in the program."""
    if machine.cpu is not X86:
        return
    client = machine.client()
    stopped, inside, points = given_up(machine, client)
    for point in points:
        client.remove(1, point)
    place = inside[0]
    while place != inside[1]:
        place = int.from_bytes(client.step(stopped.thread).registers[0x10], 'little')
    stack = client.register('rsp', stopped.thread)
    back = client.word(stack)
    returned = client.step(stopped.thread)
    check(client.pc(returned.thread) == back, f'{returned} is at {client.pc(returned.thread):#x}, not behind the return')
    for number in range(4):
        flags = client.register('eflags', stopped.thread)
        check(machine.cpu.flags_are_right(flags), f'{number} steps behind the return the flags are {flags:#x}')
        client.step(stopped.thread)
    nothing_stray(client)
    leave(client)


def going_on_by_steps_after_one_given_up_leaves_nothing(machine):
    """x86: the same where the handler returns by itself, behind a step in it."""
    if machine.cpu is not X86:
        return
    client = machine.client()
    stopped, _, points = given_up(machine, client)
    for point in points:
        client.remove(1, point)
    client.step(stopped.thread)
    nothing_stray(client)
    client.insert(0, machine.symbols['meet'])
    met = client.run()
    while met.thread != stopped.thread:
        client.remove(0, machine.symbols['meet'])
        client.step(met.thread)
        client.insert(0, machine.symbols['meet'])
        met = client.run()
    flags = client.register('eflags', stopped.thread)
    check(machine.cpu.flags_are_right(flags), f'the program has the flags {flags:#x}')
    client.remove(0, machine.symbols['meet'])
    leave(client)


def a_step_over_a_fault_ends_in_its_handler(machine):
    """What the handler finds saved is the program's own, and it returns to the instruction behind."""
    client, names = machine.client(), machine.symbols
    client.insert(0, names['provoke'])
    client.set_word(names['provoked'], 1)
    stop = client.run()
    client.remove(0, names['provoke'])

    def step():
        return int.from_bytes(client.step(stop.thread).registers[machine.cpu.program_counter], 'little')
    place, handler = names['provoke'], names[machine.cpu.fault_handler]
    while client.read(place, machine.cpu.fault_size) not in (b'\x0f\x0b', bytes(4)):
        place = step()
    landed = step()
    check(handler <= landed < handler + machine.cpu.fault_handler_size, f'the step ends at {landed:#x}')
    if machine.cpu is X86:
        stack = client.register('rsp', stop.thread)
        check(machine.cpu.flags_are_right(client.word(stack + 16)), 'the saved flags are not the program\'s')
    client.insert(0, place + machine.cpu.fault_size)
    client.run()
    check(client.word(names['machine_faults']) == 1, f'{client.word(names["machine_faults"])} exceptions were counted')
    client.remove(0, place + machine.cpu.fault_size)
    leave(client)


# ---- Exceptions that nobody handles ----

def told(client):
    """What `monitor exceptions` says, which comes as console output."""
    client.output.clear()
    reply = client.request('qRcmd,' + b'exceptions'.hex())
    return (client.output + (b'' if reply == b'OK' else bytes.fromhex(reply.decode()))).decode()


def is_told(machine, client, stop, name, signal, said):
    """A stop for an exception, where it is and what is said of it."""
    names = machine.symbols
    place = names[f'raise_{name}_at'] if name != 'jump' else 32
    check(stop.signal == signal, f'{stop} came for raise_{name}')
    check(client.pc(stop.thread) == place, f'raise_{name} is told at {client.pc(stop.thread):#x}')
    text = told(client)
    check(re.search(rf'^processor {int(stop.thread) - 1}: {said}\) at {place:#x}\.$', text, re.MULTILINE), f'of raise_{name} it says {text!r}')


def exceptions_are_told(machine):
    """A fault of the program's is a signal at its instruction, with what the machine said; again when it is executed again."""
    client, names = machine.client(), machine.symbols
    for number, (name, signal, said) in machine.cpu.exceptions.items():
        client.set_word(names['raised'], number)
        client.set_word(names['provoked'], number % PROCESSORS)
        client.output.clear()
        stop = client.run()
        check(re.search(said, client.output.decode()), f'the console says {bytes(client.output)!r}')
        check(stop.thread == str(number % PROCESSORS + 1), f'{stop} is of another processor')
        is_told(machine, client, stop, name, signal, said)
        is_told(machine, client, client.run(), name, signal, said)
        client.set_register(client.pc_name, names[f'raise_{name}_behind'], stop.thread)
        check(client.step(stop.thread).signal == 5, 'no step leads on from there')
        check('No processor' in told(client), f'it still says {told(client)!r}')
    client.set_word(names['raised'], 0)
    nothing_stray(client)
    leave(client)


def steps_meet_exceptions(machine):
    """A step over such an instruction ends with the signal, or in the handler that then finds nothing to do; masks and flags are the program's."""
    client, names = machine.client(), machine.symbols
    client.set_word(names['raised'], 3)
    client.insert(0, names['raise_read'])
    client.set_word(names['provoked'], 1)
    stop = client.run()
    client.remove(0, names['raise_read'])
    flags = client.register(machine.cpu.flags, stop.thread)
    for _ in range(2):
        client.set_register(client.pc_name, names['raise_read'], stop.thread)
        check(client.step(stop.thread).signal == 5, 'the first step meets something')
        stop = client.step(stop.thread)
        if machine.cpu is not X86:
            check(client.pc(stop.thread) != names['raise_read_at'], f'{stop} is not in the handler')
            stop = client.run()
        is_told(machine, client, stop, *machine.cpu.exceptions[3])
        now = client.register(machine.cpu.flags, stop.thread) & ~machine.cpu.fault_flags
        check(now == flags, f'the flags were {flags:#x} and are {now:#x}')
    client.set_register(client.pc_name, names['raise_read_behind'], stop.thread)
    client.set_word(names['raised'], 0)
    nothing_stray(client)
    leave(client)


def an_exception_waits_for_a_debugger(machine):
    """With nobody at the line it is the next debugger that finds it; gdb has its name for it."""
    client, names = machine.client(), machine.symbols
    client.set_word(names['raised'], 4)
    client.set_word(names['provoked'], 2)
    leave(client)
    text = machine.gdb(['info threads', 'print provoked', 'monitor exceptions', 'continue', 'info symbol $pc', 'monitor exceptions',
                        'set $pc = raise_write_behind', 'set variable raised = 0', 'break meet if number == 2', 'continue', 'delete',
                        'detach'])
    expect(text, machine.cpu.exceptions[4][2], 'SIGSEGV', 'raise_write_at', rf'processor 2: {machine.cpu.exceptions[4][2]}',
           r'hit Breakpoint 1, meet')


# ---- Exclusive sequences, on arm64 ----

NEVER = [bytecode.always(0) + bytecode.END]


def claims(client, names):
    """What all have added up, and how often each says that it has."""
    return client.word(names['claimed']), [client.word(names['claims'] + 8 * n) for n in range(PROCESSORS)]


def everybody_claims(client, names, times):
    """Every processor gets through the sequence so many times more, and each time it has added one."""
    for number in range(PROCESSORS):
        at = names['claims'] + 8 * number
        wanted = bytecode.equal(bytecode.word(at), bytecode.constant(client.word(at) + times))
        client.insert(0, names['meet'], conditions=[wanted + bytecode.END])
        stop = client.run()
        # Accesses that were made while everybody stopped are told yet.
        while any(stop.has(word) for word in ('watch', 'rwatch', 'awatch')):
            stop = client.run()
        check(client.pc(stop.thread) == names['meet'], f'{stop} is at {client.pc(stop.thread):#x}')
        client.remove(0, names['meet'])
    added, each = claims(client, names)
    check(0 <= added - sum(each) <= PROCESSORS, f'{added} was added up, by {each}')


def points_inside_exclusive_sequences(machine):
    """Conditions that are false are asked between a load-exclusive and its store, and at both: the store stores all the same."""
    client, names = machine.client(), machine.symbols
    client.set_word(names['claiming'], 1)
    for kind in (0, 1):
        for place in ('claim_load', 'claim_inside', 'claim_store'):
            client.insert(kind, names[place], conditions=NEVER)
            everybody_claims(client, names, 5)
            client.remove(kind, names[place])
    leave(client)


def exclusive_stores_are_watched(machine):
    """Each store is told once, when it is done, with whoever made it; in between nobody is kept from storing."""
    client, names = machine.client(), machine.symbols
    watched = names['claimed']
    client.insert(2, watched, 8)
    client.set_word(names['claiming'], 1)
    before, told = client.word(watched), {}
    for count in range(1, 25):
        stop = client.run()
        check(stop.has('watch') and int(stop.value('watch'), 16) == watched, f'{stop} is no watchpoint of ours')
        value = client.word(watched)
        check(count <= value - before <= count + PROCESSORS, f'after {count} stops it has become {value} from {before}')
        check(client.pc(stop.thread) == names['claim_store'] + 4, f'{stop} is told at {client.pc(stop.thread):#x}')
        told[stop.thread] = told.get(stop.thread, 0) + 1
    check(len(told) == PROCESSORS, f'{told} are told of, and not all')
    client.remove(2, watched, 8)
    everybody_claims(client, names, 5)
    leave(client)


def exclusive_loads_are_watched(machine):
    """A watchpoint for reads tells of the load, one for both of load and store, and the sequence stores behind them."""
    client, names = machine.client(), machine.symbols
    watched = names['claimed']
    client.set_word(names['claiming'], 1)
    for kind, word, places in ((3, 'rwatch', {'claim_load'}), (4, 'awatch', {'claim_load', 'claim_store'})):
        client.insert(kind, watched, 8)
        before, seen = client.word(watched), set()
        for _ in range(24):
            stop = client.run()
            check(stop.has(word) and int(stop.value(word), 16) == watched, f'{stop} is no {word} of ours')
            place = client.pc(stop.thread)
            seen |= {name for name in ('claim_load', 'claim_store') if names[name] < place}
        check(places <= seen and client.word(watched) > before, f'told at {seen}; {before} became {client.word(watched)}')
        client.remove(kind, watched, 8)
        everybody_claims(client, names, 5)
    leave(client)


def steps_lead_through_exclusive_sequences(machine):
    """A step from the load ends behind the store, which has stored; so does one with a breakpoint on the way whose condition is false."""
    client, names = machine.client(), machine.symbols
    client.set_word(names['claiming'], 1)
    for kind in (None, 0, 1):
        for _ in range(8):
            client.insert(0, names['claim_load'])
            stop = client.run()
            client.remove(0, names['claim_load'])
            if kind is not None:
                client.insert(kind, names['claim_inside'], conditions=NEVER)
            before = client.word(names['claimed'])
            for _ in range(8):
                stop = client.step(stop.thread)
                if client.pc(stop.thread) == names['claim_end']:
                    break
            check(client.pc(stop.thread) == names['claim_end'], f'the steps lead to {client.pc(stop.thread):#x}')
            check(client.word(names['claimed']) == before + 1, f'{before} became {client.word(names["claimed"])}')
            if kind is not None:
                client.remove(kind, names['claim_inside'])
    leave(client)


EXCLUSIVE = {points_inside_exclusive_sequences, exclusive_stores_are_watched, exclusive_loads_are_watched,
             steps_lead_through_exclusive_sequences}
# Where the example with tasks has them; and which sessions are about it, on which CPU.
TASKS = 0x40400000
WITH_TASKS = {tasks_are_stepped_by_their_kernel, steps_lead_from_a_task_into_the_kernel}
SESSIONS = [gdb_sees_everything, gdb_watches_from_every_processor, gdb_arms_four_and_no_fifth,
            lldb_and_the_prompt_see_the_same, gdb_calls_functions, steps_stay_in_the_code,
            pushed_flags_are_the_programs, all_meet_one_breakpoint, false_conditions_stay_in_ring_0,
            a_lost_debugger_leaves_nothing, garbage_is_survived, a_step_over_a_fault_ends_in_its_handler,
            a_step_given_up_in_a_handler_leaves_no_trap, a_step_given_up_is_over_when_its_handler_is_stepped,
            going_on_by_steps_after_one_given_up_leaves_nothing, tasks_are_stepped_by_their_kernel, steps_lead_from_a_task_into_the_kernel,
            exceptions_are_told, steps_meet_exceptions, an_exception_waits_for_a_debugger,
            points_inside_exclusive_sequences, exclusive_stores_are_watched, exclusive_loads_are_watched,
            steps_lead_through_exclusive_sequences]
# Where the processors are to run at once, each in a thread of the host. Elsewhere they take turns: processors that wait
# for another one burn no time of the host then.
AT_ONCE = {gdb_sees_everything, all_meet_one_breakpoint, false_conditions_stay_in_ring_0, garbage_is_survived,
           exclusive_stores_are_watched}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split('\n\n', maxsplit=1)[0])
    parser.add_argument('--build', default=str(ROOT / 'build'))
    parser.add_argument('--cpu', choices=CPUS, default='x86-64')
    parser.add_argument('--relay', nargs=2, type=int, help=argparse.SUPPRESS)
    parser.add_argument('sessions', nargs='*')
    options = parser.parse_args()
    if options.relay:
        return relay(*options.relay)
    cpu = CPUS[options.cpu]
    for program in (cpu.emulator[0], cpu.gdb):
        if shutil.which(program) is None:
            print(f'{program} is not installed')
            return 77
    failed = 0
    chosen = [session for session in SESSIONS if not options.sessions or session.__name__ in options.sessions]
    chosen = [session for session in chosen if cpu is not X86 or session not in WITH_TASKS | EXCLUSIVE]
    for session in chosen:
        start = time.monotonic()
        machine = Machine(options.build, cpu, session in AT_ONCE, cpu.tasks if session in WITH_TASKS else None)
        try:
            session(machine)
            print(f'ok {session.__name__} ({time.monotonic() - start:.1f} s)', flush=True)
        except Exception as error:  # pylint: disable=broad-except
            failed += 1
            print(f'FAILED {session.__name__}: {type(error).__name__}: {error}', flush=True)
        finally:
            machine.end()
    print(f'{len(chosen) - failed} passed, {failed} failed')
    return failed != 0


if __name__ == '__main__':
    sys.exit(main())
