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
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / 'tests/stub'))
import bare_machine  # pylint: disable=wrong-import-position,import-error
import bytecode  # pylint: disable=wrong-import-position,import-error
import measures  # pylint: disable=wrong-import-position,import-error
from expects import check  # pylint: disable=wrong-import-position,import-error

PER_TICK = 1000000  # instructions, at 1 kHz
PAGE = 'docs/BAREMETAL.md'
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


def line(build, cpu, cost):
    """What goes over the line, and how long it takes there."""
    machine = bare_machine.Machine(build, cpu, at_once=False)
    try:
        client = machine.client()
        at, rounds = machine.symbols['meet'], machine.symbols['rounds']
        client.insert(0, at)
        stop = client.run()
        client.remove(0, at)
        step = measures.counted(client, f'vCont;s:{stop.thread}')
        client.insert(0, at)
        asked = measures.counted(client, *measures.asked_of_client(at, rounds, stop.thread))
        client.remove(0, at)
        bare_machine.leave(client)
    finally:
        machine.end()
    return measures.line_rows(cost, 'in ring 0 or at EL1', asked, step)


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
        own = measures.timed(lambda: client.request(f'vCont;s:{stop.thread}'))
        bare_machine.leave(client)
    finally:
        machine.end()
    machine = machine_alone(build, cpu, alone, more=lambda folder: ['-monitor', 'none', '-gdb', f'unix:{folder}/gdb,server,wait=off'])
    try:
        other = measures.emulator_steps(os.path.join(machine.folder, 'gdb'), bare_machine.DEADLINE)
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


def main():
    parser = argparse.ArgumentParser(description=__doc__.split('\n\n', maxsplit=1)[0])
    parser.add_argument('--build', default=str(ROOT / 'build'))
    parser.add_argument('--write', action='store_true', help=f'into {PAGE}')
    options = parser.parse_args()
    columns = {cpu.name: measured(options.build, cpu) for cpu in (bare_machine.X86, bare_machine.Arm64)}
    if options.write:
        measures.write(PAGE, measures.table(columns))


if __name__ == '__main__':
    main()
