#!/usr/bin/env python3
"""The figures of docs/BAREMETAL.md, measured: sizes, storage, what a false condition costs, what a step costs on the line.

Instructions are counted by QEMU's clock, which under `-icount shift=0` goes on by a nanosecond with each; the line's time is
its bytes at 115,200 baud. What an emulator's steps cost is said as a ratio to another stub's beside the same guest alone. --write puts the
table into the page.
"""

import argparse
import os
import pathlib
import re
import socket
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / 'tests/stub'))
import bare_machine  # pylint: disable=wrong-import-position,import-error
import bytecode  # pylint: disable=wrong-import-position,import-error
from expects import Failed, check  # pylint: disable=wrong-import-position,import-error

PER_TICK = 1000000  # instructions, at 1 kHz
BAUD, BITS = 115200, 10
STEPS = 300
PAGE, BEGIN, END = 'docs/BAREMETAL.md', '<!-- figures:begin -->\n', '<!-- figures:end -->\n'
SECONDS = 4


def sizes(build, cpu):
    tool, library = ('size', 'x86_64') if cpu is bare_machine.X86 else ('aarch64-linux-gnu-size', 'arm64')
    text = subprocess.run([tool, '-t', os.path.join(build, 'stubs', f'libtrapline-stub-{library}.a')], stdout=subprocess.PIPE, check=True)
    words = text.stdout.decode().splitlines()[-1].split()
    return {'code and constants, before the linker leaves out what is not used': f'{int(words[0]):,} bytes',
            'data': f'{int(words[1]) + int(words[2]):,} bytes'}


def storage(build, cpu, alone):
    image = 'tests/stub/' + cpu.image.replace('busy', 'busy-alone') if alone else None
    machine = bare_machine.Machine(build, cpu, at_once=True, image=image, processors=1 if alone else 4)
    try:
        text = machine.gdb(['watch watched', 'break meet if number == 9', 'set writer = 0', 'continue', 'print the_stub->stub.heap.most',
                            'print sizeof(*the_stub)', 'delete', 'detach'])
    finally:
        machine.end()
    found = [int(value) for value in re.findall(r'^\$\d+ = (\d+)', text, re.MULTILINE)]
    check(len(found) == 2, f'gdb does not say how much is in use: {text}')
    what = 'storage at the worst moment, one processor, a watchpoint and a conditional breakpoint' if alone else 'the same with four processors'
    return {what: f'{sum(found):,} bytes'}


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
    machine = bare_machine.Machine(build, cpu, image='tests/stub/' + cpu.image.replace('busy', 'busy-alone'), at_once=False, processors=1,
                               more=lambda folder: ['-monitor', 'none', '-icount', 'shift=0'])
    try:
        client = machine.client()
        plain = pace(client, machine)
        at, rounds = machine.symbols['meet'], machine.symbols['rounds']
        client.insert(0, at, conditions=[bytecode.equal(bytecode.word(rounds), bytecode.constant(1)) + bytecode.END])
        cost = pace(client, machine) - plain
        client.remove(0, at)
        bare_machine.leave(client)
    finally:
        machine.end()
    return cost


def counted(client, *payloads):
    """Bytes of the packets and their replies, framing and all."""
    total = 0
    for payload in payloads:
        total += len(payload) + 4 + len(client.request(payload)) + 4
    return total


def line(build, cpu, cost):
    """What goes over the line, and how long it takes there."""
    machine = bare_machine.Machine(build, cpu, at_once=False)
    try:
        client = machine.client()
        at, rounds = machine.symbols['meet'], machine.symbols['rounds']
        client.insert(0, at)
        stop = client.run()
        client.remove(0, at)
        step = counted(client, f'vCont;s:{stop.thread}')
        client.insert(0, at)
        asked = counted(client, 'vCont;c', f'm{rounds:x},8', f'z0,{at:x},1', f'vCont;s:{stop.thread}', f'Z0,{at:x},1')
        client.remove(0, at)
        bare_machine.leave(client)
    finally:
        machine.end()
    bit = BITS / BAUD * 1000
    return {'a breakpoint hit with a false condition, decided in ring 0 or at EL1': f'{cost:,.0f} instructions',
            'the same decided by the client: bytes over the line': f'{asked:,}',
            f'… and their time at {BAUD:,} baud': f'{asked * bit:.1f} ms',
            '… to the time of those instructions at one a nanosecond': f'{asked * bit * 1e6 / cost:,.0f} to 1',
            'a step: bytes over the line there and back': f'{step:,}',
            f'… a round trip at {BAUD:,} baud': f'{step * bit:.1f} ms'}


def exchange(peer, payload):
    """A packet and its reply, each acknowledged."""
    peer.sendall(b'$%s#%02x' % (payload, sum(payload) & 255))
    reply = b''
    while not re.search(rb'#..$', reply):
        part = peer.recv(4096)
        if not part:
            raise Failed('the other stub has gone')
        reply += part
    peer.sendall(b'+')


def timed(step):
    start = time.monotonic()
    for _ in range(STEPS):
        step()
    return time.monotonic() - start


def machine_alone(build, cpu, alone, **more):
    image = 'tests/stub/' + cpu.image.replace('busy', 'busy-alone') if alone else None
    return bare_machine.Machine(build, cpu, at_once=False, image=image, processors=1 if alone else bare_machine.PROCESSORS, **more)


def fast_line(build, cpu, alone):
    """The same steps over an emulated line that takes no time, by the stub in the guest and by the emulator's own."""
    machine = machine_alone(build, cpu, alone)
    try:
        client = machine.client()
        client.insert(0, machine.symbols['meet'])
        stop = client.run()
        client.remove(0, machine.symbols['meet'])
        own = timed(lambda: client.request(f'vCont;s:{stop.thread}'))
        bare_machine.leave(client)
    finally:
        machine.end()
    machine = machine_alone(build, cpu, alone, more=lambda folder: ['-monitor', 'none', '-gdb', f'unix:{folder}/gdb,server,wait=off'])
    try:
        peer = socket.socket(socket.AF_UNIX)
        peer.connect(os.path.join(machine.folder, 'gdb'))
        peer.settimeout(bare_machine.DEADLINE)
        exchange(peer, b'?')
        other = timed(lambda: exchange(peer, b'vCont;s:1'))
        peer.close()
    finally:
        machine.end()
    what = "… over an emulated line that takes no time, one processor, to QEMU's own stub" if alone else '… the same with four processors'
    return {what: f'{own / other:.1f} to 1'}


def measured(build, cpu):
    print(cpu.name, flush=True)
    rows = sizes(build, cpu) | storage(build, cpu, True) | storage(build, cpu, False)
    rows |= line(build, cpu, condition(build, cpu))
    rows |= fast_line(build, cpu, True) | fast_line(build, cpu, False)
    for what, value in rows.items():
        print(f'  {what}: {value}', flush=True)
    return rows


def table(columns):
    """The page's table, of one column for each CPU."""
    names = list(columns)
    rows = [f'| | {" | ".join(names)} |', '| --- |' + ' ---: |' * len(names)]
    for what in columns[names[0]]:
        rows.append(f'| {what} | {" | ".join(columns[name][what] for name in names)} |')
    return '\n'.join(rows) + '\n'


def write(text):
    page = ROOT / PAGE
    before, rest = page.read_text(encoding='utf-8').split(BEGIN)
    page.write_text(before + BEGIN + text + END + rest.split(END)[1], encoding='utf-8')


def main():
    parser = argparse.ArgumentParser(description=__doc__.split('\n\n', maxsplit=1)[0])
    parser.add_argument('--build', default=str(ROOT / 'build'))
    parser.add_argument('--write', action='store_true', help=f'into {PAGE}')
    options = parser.parse_args()
    columns = {cpu.name: measured(options.build, cpu) for cpu in (bare_machine.X86, bare_machine.Arm64)}
    if options.write:
        write(table(columns))


if __name__ == '__main__':
    main()
