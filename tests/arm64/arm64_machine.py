"""The arm64 machine that the tests bring: QEMU's virt board with Debian's kernel and guest/init.c, and what one asks of it.

    arm64_machine.py --arm64 BUILD-ARM64     boots it and keeps it until ^C; says at which port its agent listens
"""

import argparse
import itertools
import os
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
for part in ('tools', 'tests/emulator'):
    sys.path.insert(0, str(ROOT / part))
import arm64  # noqa: E402 pylint: disable=wrong-import-position
import initrd  # noqa: E402 pylint: disable=wrong-import-position

BOOT_DEADLINE, DEADLINE = 120, 60
READY = b'the machine is ready'
AGENT, SERVER = 1, 2345  # ports of the guest that are forwarded
PROCESSORS, MEGABYTES = 2, 1024
# Signing pointers by the architecture's own algorithm is slow in an emulator, and Debian's kernel signs its own.
PROCESSOR = 'max,pauth-impdef=on'


class Broken(Exception):
    """The machine does not do what it should."""


def library_files():
    """What dynamic programs need, {path: bytes}: all shared libraries of the sysroot, under their names."""
    files, sysroot = {}, arm64.store() / 'sysroot'
    for folder in ('lib/aarch64-linux-gnu', 'usr/lib/aarch64-linux-gnu'):
        for path in sorted((sysroot / folder).glob('*.so.*')):
            if path.is_file() and 'san.so' not in path.name:
                files[f'lib/aarch64-linux-gnu/{path.name}'] = path.resolve().read_bytes()
    files['lib/ld-linux-aarch64.so.1'] = (sysroot / 'lib/aarch64-linux-gnu/ld-linux-aarch64.so.1').read_bytes()
    return files


class Agent:
    """What one asks of the guest's first program, over a forwarded port: guest/init.c."""

    names = itertools.count(1)

    def __init__(self, ports):
        self.ports = ports  # {port of the guest: port of this machine}

    def ask(self, line, data=b''):
        """A connection to the agent, on which a line was said, and what belongs to it."""
        stream = socket.create_connection(('127.0.0.1', self.ports[AGENT]), DEADLINE)
        stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        stream.sendall(line.encode() + b'\n' + data)
        return stream

    def answer(self, line, data=b'', seconds=DEADLINE):
        """All that the agent answers."""
        with self.ask(line, data) as stream:
            stream.settimeout(seconds)
            return b''.join(iter(lambda: stream.recv(65536), b''))

    def put(self, path, data, mode=0o755):
        """A file in the guest."""
        if self.answer(f'put {mode:o} {len(data)} {path}', data) != b'done\n':
            raise Broken(f'{path} cannot be written')

    def start(self, *words, errors=False):
        """(its name, the connection that is its input and output) of a program that runs from now on; with its error output."""
        name = f'program-{os.getpid()}-{next(self.names)}'
        data = b''.join(str(word).encode() + b'\0' for word in words)
        return name, self.ask(f'{"say" if errors else "run"} {name} {len(data)}', data)

    def end(self, name, seconds=5):
        """(status, error output) of a program, which is killed unless it ends by itself within some seconds; -1: killed."""
        said = self.answer(f'end {name} {seconds}', seconds=seconds + DEADLINE).decode('latin-1')
        status, _, errors = said.partition('\n')
        return int(status), errors

    def run(self, *words, data=b'', seconds=DEADLINE):
        """(status, output, error output) of a program that runs to its end."""
        name, stream = self.start(*words)
        with stream:
            stream.settimeout(seconds)
            stream.sendall(data)
            stream.shutdown(socket.SHUT_WR)
            try:
                output = b''.join(iter(lambda: stream.recv(65536), b''))
            except TimeoutError:
                output = b'(it did not end in time)'
        status, errors = self.end(name, 1)
        return status, output.decode(errors='replace'), errors


class Machine(Agent):
    """A machine that runs, as a context; its serial line is kept in `said`."""

    def __init__(self, kernel, image, processors=PROCESSORS, more=()):
        self.folder = tempfile.mkdtemp(prefix='trapline-arm64-')
        super().__init__({})
        self.said, self.ready = bytearray(), threading.Event()
        emulator = shutil.which('qemu-system-aarch64')
        if emulator is None:
            raise Broken('qemu-system-aarch64 is not installed')
        forwards = ''.join(f',hostfwd=tcp:127.0.0.1:0-:{port}' for port in (AGENT, SERVER))
        monitor = os.path.join(self.folder, 'monitor')
        self.began = time.monotonic()
        self.process = subprocess.Popen(
            [emulator, '-M', 'virt', '-cpu', PROCESSOR, '-smp', str(processors), '-m', str(MEGABYTES), '-nodefaults', '-display',
             'none', '-no-reboot', '-kernel', kernel, '-initrd', image, '-append', 'console=ttyAMA0 quiet panic=-1', '-serial',
             'stdio', '-monitor', f'unix:{monitor},server=on,wait=off', '-netdev', f'user,id=net{forwards}', '-device',
             'virtio-net-device,netdev=net', *more],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True)
        threading.Thread(target=self._listen, daemon=True).start()
        try:
            if not self.ready.wait(BOOT_DEADLINE) or READY not in self.said:
                raise Broken(f'the machine does not boot:\n{self.said.decode(errors="replace")}')
            self.boot_seconds = time.monotonic() - self.began
            self.ports = self._ports(monitor)
        except BaseException:
            self.stop()
            raise

    def _listen(self):
        for line in self.process.stdout:  # to its end, so that it never waits for a reader
            self.said += line
            if READY in line:
                self.ready.set()
        self.ready.set()

    @staticmethod
    def _ports(monitor):
        """{port of the guest: port of this machine}, as the emulator's monitor tells them."""
        with socket.socket(socket.AF_UNIX) as stream:
            stream.settimeout(DEADLINE)
            stream.connect(monitor)
            said = b''
            while said.count(b'(qemu)') < 1:
                said += stream.recv(65536)
            stream.sendall(b'info usernet\n')
            while said.count(b'(qemu)') < 2:
                said += stream.recv(65536)
        found = re.findall(rb'TCP\[HOST_FORWARD\]\s+\d+\s+127\.0\.0\.1\s+(\d+)\s+\S+\s+(\d+)', said)
        return {int(guest): int(host) for host, guest in found}

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.stop()

    def stop(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)


def make_image(folder, build, files):
    """The initial file system, in a folder: the agent, drivers, and files {path: bytes}."""
    inside = {f'modules/{path.name}': path.read_bytes() for path in (folder / 'modules').glob('*.ko')}
    inside |= {'init': (build / 'tests/arm64/guest-init').read_bytes(), **files}
    inside |= {f'{name}/.here': b'' for name in ('proc', 'sys', 'tmp')}
    return initrd.make(folder / f'image-{os.getpid()}.cpio', inside)


def boot(build, files, processors=PROCESSORS, more=()):
    """A machine with files {path: bytes} in it, and further options. The build is one for arm64."""
    folder = arm64.store()
    kernel = arm64.kernel(folder)
    image = make_image(folder, build, files)
    try:
        return Machine(kernel, image, processors, more)
    finally:
        pathlib.Path(image).unlink()


def running():
    """The agent of a machine that somebody else keeps running, or None: $ARM64_PORTS says "1=34379,2345=39531"."""
    words = os.environ.get('ARM64_PORTS')
    return Agent({int(guest): int(host) for guest, host in (word.split('=') for word in words.split(','))}) if words else None


def ports_text(agent):
    """For $ARM64_PORTS."""
    return ','.join(f'{guest}={host}' for guest, host in agent.ports.items())


def main():
    parser = argparse.ArgumentParser(description=__doc__.split('\n\n')[0])
    parser.add_argument('--arm64', default='build-arm64', help='the build folder for arm64')
    parser.add_argument('--libraries', action='store_true', help='with the shared libraries of the sysroot')
    parser.add_argument('files', nargs='*', help='to be put into /bin')
    options = parser.parse_args()
    files = {f'bin/{pathlib.Path(name).name}': pathlib.Path(name).read_bytes() for name in options.files}
    if options.libraries:
        files |= library_files()
    with boot(pathlib.Path(options.arm64).resolve(), files) as machine:
        print(f'booted in {machine.boot_seconds:.1f} s; export ARM64_PORTS={ports_text(machine)}', flush=True)
        machine.process.wait()


if __name__ == '__main__':
    main()
