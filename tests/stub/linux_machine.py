"""A machine with Debian's kernel and trapline.ko: the kernel comes from where this machine's apt gets its packages, the one that
the installed headers are for, and is unpacked, not installed. Two serial lines: the console, at which tests/stub/linux_init.c
listens, and the debugger's."""

import os
import pathlib
import re
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path[:0] = [str(ROOT / 'tools'), str(ROOT / 'tests/emulator'), str(ROOT / 'tests/conformance')]
import archive  # pylint: disable=wrong-import-position,import-error
import initrd  # pylint: disable=wrong-import-position,import-error
import module  # pylint: disable=wrong-import-position,import-error
import vmlinux  # pylint: disable=wrong-import-position,import-error
from archive import Missing  # pylint: disable=wrong-import-position,import-error
from client import Client  # pylint: disable=wrong-import-position,import-error
from expects import Failed, check  # pylint: disable=wrong-import-position,import-error

DEADLINE = 120


def release():
    """The kernel that the installed headers are for."""
    headers = module.headers()
    if headers is None:
        raise Missing('no kernel headers: install linux-headers-amd64 (make setup)')
    return headers.name.removeprefix('linux-headers-')


def kernel(folder):
    """The kernel's file; fetched when it is not there yet."""
    place = folder / f'vmlinuz-{release()}'
    if place.exists():
        return place
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder) as there:
        fetched = subprocess.run(['apt-get', '-q', 'download', f'linux-image-{release()}'], cwd=there, stdout=subprocess.PIPE,
                                 stderr=subprocess.STDOUT, text=True, timeout=600, check=False)
        package = next(pathlib.Path(there).glob('*.deb'), None)
        if package is None:
            raise Missing(f'the kernel cannot be had:\n{fetched.stdout}')
        with subprocess.Popen(['dpkg-deb', '--fsys-tarfile', package], stdout=subprocess.PIPE) as unpacked:
            subprocess.run(['tar', '-x', '-C', there, f'./boot/vmlinuz-{release()}'], stdin=unpacked.stdout, check=True, timeout=300)
        os.rename(pathlib.Path(there) / 'boot' / place.name, place)
    return place


def make_image(folder, more):
    """The initial file system, with the module as it is now, and more files."""
    said, done = module.make(folder / 'module', module.headers())
    if not done:
        raise Failed(f'the module is not compiled:\n{said}')
    source, init = ROOT / 'tests/stub/linux_init.c', folder / 'init'
    if not init.exists() or init.stat().st_mtime < source.stat().st_mtime:
        subprocess.run(['gcc', '-static', '-O2', '-Wall', '-Wextra', '-Werror', '-o', init, source], check=True, timeout=120)
    loaded = folder / 'trapline.ko'
    subprocess.run(['strip', '--strip-debug', '-o', loaded, folder / 'module/trapline.ko'], check=True, timeout=60)
    return initrd.make(folder / 'initrd', {'init': init.read_bytes(), 'trapline.ko': loaded.read_bytes(), 'proc/.keep': b'',
                                           'sys/.keep': b'', **more})


def make_fixture(folder):
    """fixture.ko: the conformance scenarios' program as a thread of the kernel."""
    place = folder / 'fixture'
    for path in ('tests/stub/linux_fixture.c', 'tests/conformance/fixture_x86_64.S'):
        module.write_if_changed(place / pathlib.Path(path).name, (ROOT / path).read_bytes())
    module.write_if_changed(place / 'Kbuild', b'obj-m := fixture.o\nfixture-y := linux_fixture.o fixture_x86_64.o\n'
                                              b'OBJECT_FILES_NON_STANDARD := y\n')
    said, done = module.build(place, module.headers())
    if not done or not (place / 'fixture.ko').exists():
        raise Failed(f'the fixture is not compiled:\n{said}')
    return place / 'fixture.ko'


class Line:
    """A serial line of the machine's: a socket of ours."""

    def __init__(self, folder, name):
        self.path = os.path.join(folder, name)
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(self.path)
        self.listener.listen(1)
        self.listener.settimeout(DEADLINE)
        self.socket = None

    def words(self, name):
        return ['-chardev', f'socket,path={self.path},id={name}', '-serial', f'chardev:{name}']

    def accept(self):
        self.socket, _ = self.listener.accept()
        self.socket.settimeout(DEADLINE)
        self.listener.close()


class Debugger:
    """A debugger with the kernel's symbols, one command at a time; it reaches the machine through a relay of ours."""

    prompt = None

    def __init__(self, machine, settings=()):
        listener = socket.create_server(('127.0.0.1', 0), backlog=1)
        listener.settimeout(DEADLINE)
        self.address = '127.0.0.1:%d' % listener.getsockname()[1]
        self.process = subprocess.Popen(self.words(machine), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.said = ''
        self.peer = None
        self.relays = []
        try:
            self.connect(settings)
            self.peer, _ = listener.accept()
            for source, to in ((self.peer, machine.line), (machine.line, self.peer)):
                self.relays.append(threading.Thread(target=self.relay, args=(source, to), daemon=True))
                self.relays[-1].start()
            self.wait()
        except BaseException:
            self.end()
            raise
        finally:
            listener.close()

    def words(self, machine):
        raise NotImplementedError

    def connect(self, settings):
        """Carries out the settings, and begins to connect to `address`."""

    def relay(self, source, to):
        while self.process.poll() is None:
            try:
                if not select.select([source], [], [], 0.1)[0]:
                    continue
                data = source.recv(4096)
                if not data:
                    return
                to.sendall(data)
            except (OSError, ValueError):
                return

    def begin(self, command):
        self.process.stdin.write(command.encode() + b'\n')
        self.process.stdin.flush()

    def wait(self):
        """What it says until it asks for the next command."""
        text = ''
        while not text.endswith(self.prompt):
            if not select.select([self.process.stdout], [], [], 2 * DEADLINE)[0]:
                raise Failed(f'the debugger does not end a command; it says:\n{self.said}{text}')
            data = os.read(self.process.stdout.fileno(), 4096).decode('latin-1')
            if not data:
                raise Failed(f'the debugger has ended; it said:\n{self.said}{text}')
            text += data
        self.said += text
        return text.removesuffix(self.prompt)

    def run(self, command):
        self.begin(command)
        return self.wait()

    def interrupt(self):
        self.process.send_signal(signal.SIGINT)

    def end(self):
        self.process.kill()
        self.process.wait()
        for relay in self.relays:  # one that still listens would take what the line says to the next debugger
            relay.join(DEADLINE)
        if self.peer is not None:
            self.peer.close()


class Gdb(Debugger):
    """Stock gdb."""

    prompt = '(gdb) '

    def words(self, machine):
        return ['gdb', '-nx', '-q', machine.symbols]

    def connect(self, settings):
        self.wait()
        for line in ('set pagination off', 'set confirm off', 'set width 0', 'set remotetimeout 30', *settings):
            self.run(line)
        self.begin(f'target remote {self.address}')


class Prompt(Debugger):
    """Trapline's own."""

    prompt = '(trapline) '

    def words(self, machine):
        return [machine.build / 'trapline', '-q', '-nx', '-iex', 'set pagination off', '-iex', 'set confirm off', '-iex', 'set width 0',
                'connect', self.address, machine.symbols]


class Lldb(Debugger):
    """Stock lldb, with a script: on pipes it shows no prompt in time. A line "!command" is asked of the machine there."""

    def __init__(self, machine, lines):
        self.script, self.way = pathlib.Path(machine.folder) / 'script', pathlib.Path(machine.folder) / 'asked'
        self.lines = lines
        os.mkfifo(self.way)
        try:
            threading.Thread(target=self.pass_on, args=(machine,), daemon=True).start()
            super().__init__(machine)
        finally:
            self.way.unlink()

    def words(self, machine):
        settings = ('use-color false', 'auto-confirm true', 'symbols.enable-external-lookup false', 'stop-disassembly-count 1',
                    'plugin.process.gdb-remote.packet-timeout 60')
        lines = [f'platform shell cp {self.note(machine, line[1:])} {self.way}' if line.startswith('!') else line for line in self.lines]
        self.script.write_text('\n'.join([*(f'settings set {setting}' for setting in settings), f'gdb-remote {self.address}', *lines,
                                          'quit', '']), encoding='ascii')
        return ['lldb', '-x', '-b', '-s', self.script, machine.symbols]

    @staticmethod
    def note(machine, command):
        """A file with what is to be asked: lldb's shell knows no quotes."""
        with tempfile.NamedTemporaryFile('w', dir=machine.folder, delete=False) as file:
            file.write(command)
        return file.name

    def pass_on(self, machine):
        for _ in range(sum(line.startswith('!') for line in self.lines)):
            machine.ask(self.way.read_text(encoding='ascii'))

    def wait(self):
        """All that it says, to its end."""
        try:
            self.said = self.process.communicate(timeout=DEADLINE / 2)[0].decode('latin-1')
        except subprocess.TimeoutExpired as error:
            self.process.kill()
            raise Failed(f'lldb does not end; it said:\n{self.process.communicate()[0].decode("latin-1")}') from error
        return self.said


class Machine:
    """Debian's kernel, up, the module not yet loaded."""

    def __init__(self, build, processors=2, words='', fixture=False, emulator=None, apart=False):
        """`apart`: a ^C at our terminal is none of the emulator's business."""
        self.processors, self.moved, self.addresses = processors, None, {}
        self.build = pathlib.Path(build).resolve()
        self.where = self.build / 'tests/stub/linux'
        self.said = self.heard = ''
        with archive.alone(self.where):  # until what was made has been loaded: another may need it otherwise
            self.boot(emulator or (lambda folder: ['-accel', 'tcg']), words, fixture, apart)

    def boot(self, emulator, words, fixture, apart):
        kernel_file = kernel(self.where)
        more = {'fixture.ko': make_fixture(self.where).read_bytes()} if fixture else {}
        image = make_image(self.where, more)
        self.symbols = vmlinux.make(kernel_file, self.where / 'vmlinux')
        self.folder = tempfile.mkdtemp(prefix='stub-')
        console, line = Line(self.folder, 'console'), Line(self.folder, 'line')
        self.process = subprocess.Popen(
            ['qemu-system-x86_64', *emulator(self.folder), '-display', 'none', '-monitor', f'unix:{self.folder}/monitor,server=on,wait=off', '-nodefaults', '-no-reboot',
             '-m', '512', '-cpu', 'max', '-smp', str(self.processors), *console.words('console'), *line.words('line'), '-kernel', kernel_file, '-initrd', image,
             '-append', f'console=ttyS0 quiet loglevel=4 panic=-1 {words}'], stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=apart)
        try:
            console.accept()
            line.accept()
            self.console, self.line = console.socket, line.socket
            check(self.answer() == 'ready', 'the machine does not come up')
        except BaseException:
            self.end()
            raise

    def answer(self):
        """What the machine says next that is an answer; everything else is kept in `said`."""
        while True:
            match = re.search(r'(?m)^=(.*?)\r?\n', self.heard)
            if match:
                self.said += self.heard[:match.end()]
                self.heard = self.heard[match.end():]
                return match[1]
            try:
                data = self.console.recv(4096).decode('latin-1')
            except TimeoutError as error:
                raise Failed(f'no answer; the console says:\n{self.said}{self.heard}') from error
            if not data:
                raise Failed(f'the machine has ended; its console says:\n{self.said}{self.heard}')
            self.heard += data

    def ask(self, command):
        self.console.sendall(command.encode() + b'\n')

    def order(self, command):
        self.ask(command)
        answer = self.answer()
        check(answer == 'ok', f'{command}: {answer}\n{self.said}')

    def symbol(self, name):
        self.ask('symbol ' + name)
        return int(self.answer(), 16)

    def offset(self):
        """How far the kernel was moved from where it was linked to."""
        if self.moved is None:
            self.moved = self.symbol('_text') - 0xffffffff81000000
        return self.moved

    def client(self):
        """Another debugger at the same line; what was said to one that is gone is nobody's."""
        # The emulator holds back what found no room; that comes when there is some.
        while select.select([self.line], [], [], 0.1)[0]:
            check(self.line.recv(65536), 'the line has ended')
        client = Client(os.dup(self.line.fileno()), os.dup(self.line.fileno()), 'stub')
        client.start()
        return client

    def registers(self):
        """What QEMU says of the processors, for who wants to know why nothing comes."""
        with socket.socket(socket.AF_UNIX) as monitor:
            monitor.settimeout(DEADLINE)
            monitor.connect(f'{self.folder}/monitor')
            monitor.sendall(b'info registers -a\n')
            text = b''
            while text.count(b'(qemu)') < 2:
                text += monitor.recv(65536)
        return '\n'.join(line for line in text.decode('latin-1').splitlines() if line.startswith(('CPU#', 'RIP', 'RSP', 'DR')))

    def end(self):
        self.process.kill()
        self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)
