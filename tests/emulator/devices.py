#!/usr/bin/env python3
"""Debian's kernel with the virtio devices of the emulated computer: every one is found and works, the same run happens
twice, and a disk of the host that fails is an error in the guest. devices.py --build FOLDER"""

import argparse
import pathlib
import resource
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

import debian
import initrd

ROOT = pathlib.Path(__file__).resolve().parents[2]
DISK_SIZE = 8 << 20
WRITE_AT, WRITE_SIZE = 65536, 1 << 20
WRITTEN = bytes((i * 7 + (i >> 9)) & 255 for i in range(WRITE_SIZE))
DEADLINE = 400
TIMES = 4
DRIVERS = ['virtio_mmio', 'virtio_blk', 'virtio-rng', 'failover', 'net_failover', 'virtio_net']

passed = failed = 0


def check(what, good, shown=''):
    """Counts, and shows what was seen when it is not as it should be."""
    global passed, failed
    passed += bool(good)
    failed += not good
    print(f'{"ok" if good else "FAILED"} {what}', flush=True)
    if not good and shown:
        print(shown)


class Machine:
    """Runs the computer to its end, with a disk of its own."""

    def __init__(self, options):
        self.options = options
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix='trapline-devices-'))
        self.disk = self.folder / 'disk'
        self.original = b'the first line\n'.ljust(DISK_SIZE, b'\0')
        self.disk.write_bytes(self.original)

    def run(self, *words, mode='', limit=None):
        """What it printed, and what it said of its end."""
        command = [self.options.machine, '--kernel', self.options.kernel / 'vmlinux', '--initrd', self.options.initrd,
                   '--append', 'console=ttyS0 quiet', '--disk', f'{self.disk}{mode}', *words]

        def prepare():
            # A write beyond the limit then is an error (EFBIG) and no signal.
            if limit is not None:
                signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
                resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

        result = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=DEADLINE, check=False,
                                preexec_fn=prepare)
        return result.stdout.decode(errors='replace'), result.stderr.decode(errors='replace')

    def end(self):
        shutil.rmtree(self.folder)


def position(said):
    """How many instructions were begun, and the machine's time."""
    return said.split('\n', 1)[0]


def everything_works(machine):
    console = machine.folder / 'console'
    words = ['--random', 'a seed', '--console', str(console)]
    printed, said = machine.run(*words)
    for what in ['/dev/vda: good', f'size: {DISK_SIZE}', 'first line: the first line', 'write: good', 'read: good',
                 'behind the end: good', '/dev/hwrng: good', '/dev/hvc0: good', 'devices: done']:
        check(what, what in printed, printed + said)
    check('the console has what was sent', console.read_bytes() == b'written to hvc0\r\n')
    check('the file of the disk is as before', machine.disk.read_bytes() == machine.original)
    again, said_again = machine.run(*words)
    check('the same run happens twice', (again, position(said_again)) == (printed, position(said)), said + said_again)
    again, said_again = machine.run(*words, '--again', str(TIMES))
    check('with its past in mind it is the same, too', (again, position(said_again)) == (printed, position(said)),
          said + said_again)
    check('from any moment of it memory and disk come to the same', said_again.count(': the same') == TIMES, said_again)
    check('what was sent in the past is not sent again', console.read_bytes() == b'written to hvc0\r\n')


def a_disk_is_written_through(machine):
    printed, _ = machine.run(mode=',write')
    check('written through', 'write: good' in printed and
          machine.disk.read_bytes()[WRITE_AT:WRITE_AT + WRITE_SIZE] == WRITTEN, printed)


def a_host_that_fails_is_an_error_in_the_guest(machine):
    printed, said = machine.run(mode=',write', limit=WRITE_AT + WRITE_SIZE // 2)
    check('a full disk of the host is an I/O error', 'write: failed' in printed and 'I/O error' in printed and
          'devices: done' in printed, printed + said)
    printed, _ = machine.run(mode=',readonly')
    check('a read-only disk is not written', 'first line: the first line' in printed and 'write: failed' in printed and
          'devices: done' in printed and machine.disk.read_bytes()[:15] == machine.original[:15], printed)


def ask(port, answers, end):
    """Sends datagrams to the guest until one comes back."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asker:
        asker.settimeout(0.5)
        while not answers and time.monotonic() < end:
            try:
                asker.sendto(b'hello, guest', ('127.0.0.1', port))
                answers.append(asker.recvfrom(2000)[0])
            except TimeoutError:
                pass
            except ConnectionError:
                threading.Event().wait(0.5)  # nobody listens yet


def the_network_reaches_the_guest(machine):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(('127.0.0.1', 0))
        port = free.getsockname()[1]
    answers = []
    asker = threading.Thread(target=ask, args=(port, answers, time.monotonic() + DEADLINE))
    asker.start()
    printed, said = machine.run('--network', f'udp::{port}-:7', '--again', str(TIMES))
    check('eth0', 'card: 525400123456' in printed and 'echo: good' in printed, printed + said)
    asker.join()
    check('its past needs no network', said.count(': the same') == TIMES, said)
    check('the echo of a datagram', answers == [b'hello, guest'], str(answers))


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.split('\n\n')[0])
    parser.add_argument('--build', default='build')
    parser.add_argument('--kernel', help='a folder as debian.py makes it (default: the one of all builds)')
    options = parser.parse_args()
    build = pathlib.Path(options.build).resolve()
    options.machine = build / 'tests/emulator/boot-machine'
    options.kernel = debian.kernel(options.kernel)
    program = initrd.compile_program(ROOT / 'tests/emulator/guest/devices.c', build / 'tests/emulator/guest-devices')
    files = {f'modules/{name}.ko': (options.kernel / f'modules/{name}.ko').read_bytes() for name in DRIVERS}
    options.initrd = initrd.make(build / 'tests/emulator/devices.cpio', {'init': program.read_bytes(), **files})
    return options


def main():
    options = parse_arguments()
    for scenario in [everything_works, a_disk_is_written_through, a_host_that_fails_is_an_error_in_the_guest,
                     the_network_reaches_the_guest]:
        machine = Machine(options)
        try:
            scenario(machine)
        except subprocess.TimeoutExpired as slow:
            check(f'{scenario.__name__} in {DEADLINE} s', False, (slow.stdout or b'').decode(errors='replace'))
        finally:
            machine.end()
    print(f'{passed} passed, {failed} failed')
    return failed != 0


if __name__ == '__main__':
    try:
        sys.exit(main())
    except debian.Missing as why:
        sys.exit(f'devices.py: {why}')
