#!/usr/bin/env python3
"""Sessions about the debug registers that trapline.ko sets, beside those of linux.py: what the kernel believes of them, and steps
that need one. They run twice, with registers that the kernel's layer lends and with early=1."""

import argparse
import re
import shutil
import sys

import linux
from linux import VARIABLE, Packets
from linux_machine import Missing, check


def the_layer_knows_what_is_armed(machine):
    """Whoever has the kernel set the debug registers again (hw_breakpoint_restore), as KVM does behind a guest, finds the
    watchpoints in them."""
    kept = machine.symbol('cpu_debugreg')
    packets = Packets(machine)
    client, watched = packets.client, packets.at('watchdog_thresh')
    client.insert(2, watched, 4)
    client.resume()
    for cpu in range(machine.processors):
        machine.order(f'cpu {cpu}')
    real = [[int(value, 16) for value in re.findall(r'DR[0-3]=([0-9a-f]+)', part)] for part in machine.registers().split('CPU#')[1:]]
    client.interrupt()
    client.wait_stop()
    for cpu in range(machine.processors):
        where = client.word(packets.at('__per_cpu_offset') + 8 * cpu) + kept
        known = [client.word(where + 8 * n) for n in range(4)]
        check(watched in real[cpu], f'processor {cpu} does not watch: {real[cpu]}')
        check(known == real[cpu], f'processor {cpu} has {[hex(n) for n in real[cpu]]}, and the layer believes {[hex(n) for n in known]}')
    client.remove(2, watched, 4)
    packets.leave()


SESSIONS = [the_layer_knows_what_is_armed]


def run(options, insert):
    options.insert = insert
    print(f'-- {insert}', flush=True)
    return linux.run_all(options, [session for session in SESSIONS if not options.sessions or session.__name__ in options.sessions])


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--build', default=str(linux.ROOT / 'build'))
    parser.add_argument('--processors', type=int, default=2)
    parser.add_argument('sessions', nargs='*')
    options = parser.parse_args()
    if shutil.which('qemu-system-x86_64') is None:
        print('qemu-system-x86_64 is not installed')
        return 77
    try:
        results = [run(options, insert) for insert in ('port=ttyS1', 'port=ttyS1 early=1')]
    except Missing as error:
        print(error)
        return 77
    print(f'{sum(passed for passed, _ in results)} passed, {sum(failed for _, failed in results)} failed')
    return any(failed for _, failed in results)


if __name__ == '__main__':
    sys.exit(main())
