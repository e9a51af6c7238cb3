"""A machine under QEMU with the stub in it, of x86-64 or arm64, whose serial line is ours; and what debuggers say at it."""

import os
import pathlib
import shutil
import socket
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / 'tests/conformance'))
import elf  # pylint: disable=wrong-import-position,import-error
from client import Client  # pylint: disable=wrong-import-position,import-error
from expects import Failed, check  # pylint: disable=wrong-import-position,import-error

PROCESSORS = 4
DEADLINE = 30
SIGILL, SIGFPE, SIGSEGV = 4, 8, 11


class X86:
    """A PC."""

    name, image, gdb = 'x86-64', 'stub-busy', 'gdb'
    emulator = ['qemu-system-x86_64', '-m', '32']
    program_counter = 0x10
    handler, handler_size = 'interrupt_entry', 64
    tasks, example = None, 'stubs/stub-example'
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
    tasks, example = 'stubs/stub-tasks-arm64', 'stubs/stub-example-arm64'
    fault_handler, fault_handler_size, fault_size = 'on_exception', 256, 4
    watchpoints = 4
    flags, fault_flags = 'cpsr', 0xc00  # BTYPE: of a call through a pointer, up to the next instruction
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
            between = subprocess.Popen([sys.executable, __file__, str(peer.fileno()), str(self.line.fileno())],
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


def leave(client):
    client.order('D')
    client.close()


def nothing_stray(client):
    """All run, and the next stop is the one that is asked for."""
    client.resume()
    client.write(b'\x03')
    stopped = client.wait_stop()
    check(stopped.signal == 2, f'{stopped} came, and not the interrupt')


if __name__ == '__main__':
    sys.exit(relay(*(int(number) for number in sys.argv[1:])))
