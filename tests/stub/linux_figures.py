#!/usr/bin/env python3
"""The figures of docs/KERNEL_MODULE.md, measured: sizes, what a false condition costs in ring 0, what a step costs on the line.

Debian's kernel under QEMU. Instructions are counted by the machine's clock, which under `-icount shift=0` goes on by a nanosecond with
each (that it does is looked at first); the line's time is its bytes at 115,200 baud. What an emulator's steps cost is said as a ratio
to another stub's of the same machine alone. --write puts the table into the page.
"""

import argparse
import os
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path[:0] = [str(ROOT / 'tests/stub'), str(ROOT / 'tests/conformance')]
os.environ.setdefault('CONFORMANCE_DEADLINE', '60')  # seconds for an answer of an emulated machine
import bytecode  # pylint: disable=wrong-import-position,import-error
import elf  # pylint: disable=wrong-import-position,import-error
import linux_machine  # pylint: disable=wrong-import-position,import-error
import measures  # pylint: disable=wrong-import-position,import-error
from expects import check  # pylint: disable=wrong-import-position,import-error

PAGE = 'docs/KERNEL_MODULE.md'
CALLS, ROUNDS = 2000, 10000000
# What is called under the breakpoint, what its condition reads, and a function with room for the steps: one in a program might not end.
FUNCTION, VARIABLE, LONG_FUNCTION = '__x64_sys_getppid', 'panic_timeout', 'do_sys_openat2'
COLUMN = 'x86-64'


class Module:
    """A machine with the module in it, and one session of packets."""

    def __init__(self, build, processors, kernel='', words=()):
        self.machine = linux_machine.Machine(build, processors, kernel, emulator=lambda folder: [
            '-accel', 'tcg,thread=single', *words, '-gdb', f'unix:{folder}/gdb,server,wait=off'])
        addresses = elf.symbols(str(self.machine.symbols))
        try:
            before = self.virtual()
            self.machine.order('insmod port=ttyS1')
            self.taken = self.virtual() - before
            offset = self.machine.offset()
            self.function, self.variable, self.long_function = (addresses[name] + offset for name in (FUNCTION, VARIABLE, LONG_FUNCTION))
        except BaseException:
            self.machine.end()
            raise

    def number(self, command):
        self.machine.ask(command)
        answer = self.machine.answer()
        check(re.match(r'[\d.]+$', answer), f'{command}: {answer}')
        return float(answer)

    def virtual(self):
        """KiB of the kernel's that are mapped page by page: modules, and what they take of that kind."""
        before = len(self.machine.said)
        self.machine.order('lines /proc/meminfo VmallocUsed')
        return int(re.search(r'VmallocUsed: +(\d+) kB', self.machine.said[before:])[1])

    def at(self, function):
        """A client with a processor at the function's first instruction, and nothing set; the stop."""
        self.machine.order('load 1')  # while it runs
        client = self.machine.client()
        client.insert(0, function)
        stop = client.run()
        client.remove(0, function)
        return client, stop

    def leave(self, client):
        client.order('D')
        client.close()
        self.machine.order('unload')


def sizes(module):
    folder = module.machine.where
    text = subprocess.run(['size', folder / 'trapline.ko'], stdout=subprocess.PIPE, check=True).stdout.decode()
    words = text.splitlines()[-1].split()
    return {'code and constants': f'{int(words[0]):,} bytes', 'data': f'{int(words[1]) + int(words[2]):,} bytes',
            'memory that it takes in all when it is loaded, two processors': f'{module.taken:,} KiB'}


def condition(build):
    """Instructions that a hit with a false condition costs: calls of a function with and without the breakpoint."""
    module = Module(build, 1, 'clocksource=hpet', ['-icount', 'shift=0'])
    try:
        tick = module.number(f'clock {ROUNDS}')
        check(abs(tick - 2) < 0.1, f'the clock does not count instructions: a loop of two takes {tick}')
        plain = module.number(f'cost {CALLS}')
        client = module.machine.client()
        # panic_timeout is -1 or a number of seconds, and never this.
        client.insert(0, module.function, conditions=[bytecode.equal(bytecode.word(module.variable), bytecode.constant(0x5a5a)) + bytecode.END])
        client.resume()
        cost = module.number(f'cost {CALLS}') - plain
        client.write(b'\x03')
        check(client.wait_stop().signal == 2, 'something else stopped it')
        client.remove(0, module.function)
        client.order('D')
        client.close()
    finally:
        module.machine.end()
    return cost


def line(module, cost):
    client, stop = module.at(module.function)
    step = measures.counted(client, f'vCont;s:{stop.thread}')
    client.insert(0, module.function)
    asked = measures.counted(client, *measures.asked_of_client(module.function, module.variable, stop.thread))
    client.remove(0, module.function)
    module.leave(client)
    return measures.line_rows(cost, 'in ring 0', asked, step)


def fast_line(module, processors):
    """The same steps over an emulated line that takes no time, by the module and by the emulator's own stub."""
    client, stop = module.at(module.long_function)
    own = measures.timed(lambda: client.request(f'vCont;s:{stop.thread}'))
    client.order('D')
    client.close()
    other = measures.emulator_steps(os.path.join(module.machine.folder, 'gdb'), linux_machine.DEADLINE)
    what = "… over an emulated line that takes no time, one processor, to QEMU's own stub" if processors == 1 else '… the same with two processors'
    return {what: f'{own / other:.1f} to 1'}


def measured(build):
    cost, fast = condition(build), {}
    for processors in (1, 2):
        module = Module(build, processors)
        try:
            if processors == 2:
                rows = sizes(module) | line(module, cost)
            fast |= fast_line(module, processors)
        finally:
            module.machine.end()
    return rows | fast


def main():
    parser = argparse.ArgumentParser(description=__doc__.split('\n\n', maxsplit=1)[0])
    parser.add_argument('--build', default=str(ROOT / 'build'))
    parser.add_argument('--write', action='store_true', help=f'into {PAGE}')
    options = parser.parse_args()
    try:
        rows = measured(options.build)
    except linux_machine.Missing as error:
        print(error)
        return 77
    text = measures.table({COLUMN: rows})
    print(text, end='')
    if options.write:
        measures.write(PAGE, text)
    return 0


if __name__ == '__main__':
    sys.exit(main())
