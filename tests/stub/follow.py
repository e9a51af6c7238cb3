#!/usr/bin/env python3
"""Follows one watchpoint through the stub, on both CPUs: what `tools/follow watch` prints, and docs/BAREMETAL.md explains."""

import os
import pathlib
import re
import shutil
import socket
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / 'tests/stub'))
import bare_machine  # pylint: disable=wrong-import-position,import-error
from expects import Failed  # pylint: disable=wrong-import-position,import-error

PROCESSOR = 2  # it makes the access
DEADLINE = 60


class Monitor:
    """The machine's own monitor: what its processors' registers hold."""

    def __init__(self, path):
        self.line = socket.socket(socket.AF_UNIX)
        self.line.settimeout(DEADLINE)
        self.line.connect(path)
        self._until(b'(qemu) ')

    def _until(self, end):
        said = b''
        while not said.endswith(end):
            part = self.line.recv(65536)
            if not part:
                raise Failed('the monitor has gone')
            said += part
        return said.decode('latin-1')

    def ask(self, command):
        self.line.sendall(command.encode() + b'\n')
        return self._until(b'(qemu) ')


def heard(client):
    """Prints what goes over the line, packets of the session's own preparations left out."""
    request, wait = client.request, client.wait_stop

    def say(text):
        print('  line <', text)
        reply = request(text)
        print('  line >', reply.decode('latin-1')[:100])
        return reply

    def stop():
        found = wait()
        print('  line >', found.payload.decode('latin-1')[:60] + '…')
        return found
    return say, stop


def points(machine, client):
    """The point table of the stub: address and control of each register that is in use."""
    if machine.cpu.name == 'x86-64':
        at = machine.symbols['all']
        control = client.word(at + 32)
        return [f'register {n}: address {client.word(at + 8 * n):x}, DR7 {control:x}' for n in range(4)
                if control >> 2 * n & 3]
    at = machine.symbols['tl_stub_arm64_points'] + 16 * 16  # breakpoints first, then watchpoints
    rows = [(client.word(at + 16 * n), client.word(at + 16 * n + 8)) for n in range(16)]
    return [f'register {n}: address {address:x}, DBGWCR {control & 0xffffffff:x}, {control >> 32 & 0xffff} users'
            for n, (address, control) in enumerate(rows) if control & 1]


def exceptions(log, cpu):
    """The lines about debug exceptions of a data access."""
    text = pathlib.Path(log).read_text(encoding='latin-1')
    if cpu.name == 'x86-64':
        return [line.strip() for line in text.splitlines() if re.match(r' *\d+: v=01', line)]
    found = re.findall(r'Taking exception \d+ \[[^\n]*\] on CPU \d+\n[^\n]*\n\.\.\.with ESR 0x3[235]/[^\n]*\n(?:\.\.\.with [^\n]*\n)*', text)
    return [', '.join(part.lstrip('.') for part in entry.strip().splitlines()) for entry in found]


def follow(build, cpu):
    print(f'\n# {cpu.name}')
    machine = bare_machine.Machine(build, cpu, at_once=False, more=lambda folder: [
        '-monitor', f'unix:{folder}/monitor,server,wait=off', '-d', 'int', '-D', f'{folder}/log'])
    try:
        client = machine.client()
        monitor = Monitor(os.path.join(machine.folder, 'monitor'))
        say, stop = heard(client)
        watched, writer = machine.symbols['watched'], machine.symbols['writer']
        client.set_word(writer, PROCESSOR)
        say(f'Z2,{watched:x},8')
        print('  the point table:', '; '.join(points(machine, client)) or 'empty')
        if cpu.name == 'x86-64':
            print('  before anyone has left the stub:', *re.findall(r'DR7=\w+', monitor.ask('info registers -a')))
        pathlib.Path(machine.folder, 'log').write_text('')
        print('  line < vCont;c')
        client.resume()
        end = time.monotonic() + DEADLINE
        while not (stopped := stop()).has('watch'):
            if time.monotonic() > end:
                raise Failed(f'{stopped} came')
        if cpu.name == 'x86-64':
            print('  as they left:', *re.findall(r'DR0=\w+', monitor.ask('info registers -a')))
        for line in exceptions(os.path.join(machine.folder, 'log'), cpu)[:4]:
            print('  machine:', re.sub(r' SP=.*', '', line))
        print(f'  watched is now {client.word(watched)}')
        bare_machine.leave(client)
    finally:
        machine.end()


def main(build):
    for cpu in (bare_machine.X86, bare_machine.Arm64):
        if shutil.which(cpu.emulator[0]) is None or not os.path.exists(os.path.join(build, 'tests/stub', cpu.image)):
            print(f'\n# {cpu.name}: {cpu.emulator[0]} is not installed, or nothing was built for it')
            continue
        follow(build, cpu)


if __name__ == '__main__':
    main(sys.argv[1] if len(sys.argv) > 1 else str(ROOT / 'build'))
