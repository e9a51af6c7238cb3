#!/usr/bin/env python3
"""The figures of docs/BAREMETAL.md, measured: sizes, storage, what a false condition costs, what a step costs on the line.

Instructions are counted by QEMU's clock, which under `-icount shift=0` goes on by a nanosecond with each; the line's time is
its bytes at 115,200 baud. What an emulator's steps cost is said as a ratio to another stub's in the same guest alone.
"""

import argparse
import os
import pathlib
import re
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / 'tests/stub'))
import sessions  # pylint: disable=wrong-import-position,import-error
from sessions import bytecode  # pylint: disable=wrong-import-position,import-error

PER_TICK = 1000000  # instructions, at 1 kHz
BAUD, BITS = 115200, 10
STEPS = 300
SECONDS = 4


def sizes(build, cpu):
    tool, library = ('size', 'x86_64') if cpu is sessions.X86 else ('aarch64-linux-gnu-size', 'arm64')
    text = subprocess.run([tool, '-t', os.path.join(build, 'stubs', f'libtrapline-stub-{library}.a')], stdout=subprocess.PIPE, check=True)
    words = text.stdout.decode().splitlines()[-1].split()
    print(f'  code and constants {int(words[0]):,} bytes, data {int(words[1]) + int(words[2]):,}, before the linker leaves any out')


def storage(build, cpu, alone):
    image = 'tests/stub/' + cpu.image.replace('busy', 'busy-alone') if alone else None
    machine = sessions.Machine(build, cpu, at_once=True, image=image, processors=1 if alone else 4)
    try:
        text = machine.gdb(['watch watched', 'break meet if number == 9', 'set writer = 0', 'continue', 'print the_stub->stub.heap.most',
                            'print sizeof(*the_stub)', 'delete', 'detach'])
    finally:
        machine.end()
    found = [int(value) for value in re.findall(r'^\$\d+ = (\d+)', text, re.MULTILINE)]
    sessions.check(len(found) == 2, f'gdb does not say how much is in use: {text}')
    print(f'  storage at the worst moment, {1 if alone else 4} processor{"" if alone else "s"}: {sum(found):,} bytes')


def pace(client, machine):
    """Instructions for each round of the program's work."""
    rounds, ticks = machine.symbols['rounds'], machine.symbols['machine_ticks']
    before = client.word(rounds), client.word(ticks)
    client.resume()
    # What is waited for is the measure itself: a span in which the program runs undisturbed.
    time.sleep(SECONDS)
    client.write(b'\x03')
    client.wait_stop()
    return PER_TICK * (client.word(ticks) - before[1]) / (client.word(rounds) - before[0])


def condition(build, cpu):
    machine = sessions.Machine(build, cpu, image='tests/stub/' + cpu.image.replace('busy', 'busy-alone'), at_once=False, processors=1,
                               more=lambda folder: ['-monitor', 'none', '-icount', 'shift=0'])
    try:
        client = machine.client()
        plain = pace(client, machine)
        at, rounds = machine.symbols['meet'], machine.symbols['rounds']
        client.insert(0, at, conditions=[bytecode.equal(bytecode.word(rounds), bytecode.constant(1)) + bytecode.END])
        cost = pace(client, machine) - plain
        client.remove(0, at)
        sessions.leave(client)
    finally:
        machine.end()
    print(f'  a hit with a false condition: {cost:,.0f} instructions')
    return cost


def counted(client, *payloads):
    """Bytes of the packets and their replies, framing and all."""
    total = 0
    for payload in payloads:
        total += len(payload) + 4 + len(client.request(payload)) + 4
    return total


def line(build, cpu, cost):
    machine = sessions.Machine(build, cpu, at_once=False)
    try:
        client = machine.client()
        at, rounds = machine.symbols['meet'], machine.symbols['rounds']
        client.insert(0, at)
        stop = client.run()
        client.remove(0, at)
        step = counted(client, f'vCont;s:{stop.thread}')
        start = time.monotonic()
        for _ in range(STEPS):
            client.request(f'vCont;s:{stop.thread}')
        own = time.monotonic() - start
        client.insert(0, at)
        asked = counted(client, 'vCont;c', f'm{rounds:x},8', f'z0,{at:x},1', f'vCont;s:{stop.thread}', f'Z0,{at:x},1')
        client.remove(0, at)
        sessions.leave(client)
    finally:
        machine.end()
    bit = BITS / BAUD * 1000
    print(f'  a step: {step} bytes there and back, {step * bit:.1f} ms at {BAUD:,} baud')
    print(f'  a condition that the client decides: {asked} bytes, {asked * bit:.1f} ms at {BAUD:,} baud: '
          f'{asked * bit * 1e6 / cost:,.0f} times {cost:,.0f} instructions at one a nanosecond')
    return own


def exchange(peer, payload):
    """A packet and its reply, each acknowledged."""
    peer.sendall(b'$%s#%02x' % (payload, sum(payload) & 255))
    reply = b''
    while not re.search(rb'#..$', reply):
        part = peer.recv(4096)
        if not part:
            raise sessions.Failed('the other stub has gone')
        reply += part
    peer.sendall(b'+')


def beside(build, cpu, own):
    """QEMU's own stub makes the same steps in the same guest."""
    machine = sessions.Machine(build, cpu, at_once=False, more=lambda folder: [
        '-monitor', 'none', '-gdb', f'unix:{folder}/gdb,server,wait=off'])
    try:
        peer = sessions.socket.socket(sessions.socket.AF_UNIX)
        peer.connect(os.path.join(machine.folder, 'gdb'))
        peer.settimeout(sessions.DEADLINE)
        exchange(peer, b'?')
        start = time.monotonic()
        for _ in range(STEPS):
            exchange(peer, b'vCont;s:1')
        other = time.monotonic() - start
        peer.close()
    finally:
        machine.end()
    print(f"  {STEPS} steps over an emulated line that takes no time: {own / other:.1f} times as long as by QEMU's own stub")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split('\n\n', maxsplit=1)[0])
    parser.add_argument('--build', default=str(ROOT / 'build'))
    options = parser.parse_args()
    for cpu in (sessions.X86, sessions.Arm64):
        print(cpu.name, flush=True)
        sizes(options.build, cpu)
        storage(options.build, cpu, True)
        storage(options.build, cpu, False)
        own = line(options.build, cpu, condition(options.build, cpu))
        beside(options.build, cpu, own)


if __name__ == '__main__':
    main()
