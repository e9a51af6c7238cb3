#!/usr/bin/env python3
"""Sessions beside those of linux.py: debug registers that trapline.ko sets and what the kernel believes of them, steps that need one,
and a debugger that is lost. They run twice, with registers that the kernel's layer lends and with early=1."""

import argparse
import re
import shutil
import sys

import linux
from expects import Failed, check
from linux import VARIABLE, Packets
from linux_machine import Missing


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


STEPS_MAX = 300  # until what is looked for comes
FAULTING = b'\x48\x89\x01'  # mov %rax,(%rcx): what __put_user_8 stores by
TRAP, MASK = 0x100, 0x200  # the flags of a step
TAKEN = ('panic_timeout', 'sysctl_panic_on_oom', 'sysctl_oom_dump_tasks', 'sysctl_overcommit_ratio')


def before_a_fault(machine, registers=0):
    """A thread on processor 0 stands before a store into a page that is not there; so many debug registers are in use."""
    machine.order('cpu 1')
    packets = Packets(machine)
    client, call = packets.client, packets.at('__x64_sys_time')
    client.insert(0, call)
    client.resume()
    machine.ask('fault 0')  # its answer comes when everything runs again
    thread = client.wait_stop().thread
    client.remove(0, call)
    for name in TAKEN[:registers]:
        client.insert(2, packets.at(name), 4)
    place = call
    for _ in range(STEPS_MAX):
        if client.read(place, 3) == FAULTING:
            return packets, thread, place
        place = int.from_bytes(client.step(thread).registers[0x10], 'little')
    raise Failed(f'no instruction {FAULTING.hex()} comes in {STEPS_MAX} steps from {call:#x}')


def go_on(packets, registers=0):
    """Everything runs, and nothing of the step comes."""
    client = packets.client
    for name in TAKEN[:registers]:
        client.remove(2, packets.at(name), 4)
    client.resume()


def interrupted(client):
    client.interrupt()
    stop = client.wait_stop()
    check(stop.signal == 2, f'{stop} came, and not the interrupt')
    return stop


def a_step_over_a_fault_ends_in_its_handler(machine):
    """With a debug register free; the handler finds the flags of the program, and may sleep, and move."""
    packets, thread, place = before_a_fault(machine)
    client = packets.client
    stop = client.step(thread)
    check(client.pc(thread) == packets.at('asm_exc_page_fault'), f'{stop} is at {client.pc(thread):#x}')
    stack = client.register('rsp', thread)
    check(client.word(stack + 8) == place, 'the handler does not return to the instruction')
    flags = client.word(stack + 24)
    check(flags & (TRAP | MASK) == MASK, f'the handler finds the flags {flags:#x}')
    go_on(packets)
    check(machine.answer() == 'ok', 'the thread is not made')
    machine.order('supply 1')
    interrupted(client)
    packets.leave()


def a_step_whose_task_moves_is_told(machine):
    """Without one the step goes on with its task: it is told of where that wakes up, with the flags of the program."""
    packets, thread, place = before_a_fault(machine, 4)
    client = packets.client
    client.resume(f's:{thread};c')
    check(machine.answer() == 'ok', 'the thread is not made')
    machine.order('asleep')
    machine.ask('supply 1')
    stop = client.wait_stop()
    check(stop.signal == 5 and stop.thread != thread, f'{stop} is not the end of the step')
    check(client.pc(stop.thread) == place + len(FAULTING), f'{stop} is at {client.pc(stop.thread):#x}, the step began at {place:#x}')
    flags = client.register('eflags', stop.thread)
    check(flags & (TRAP | MASK) == MASK, f'the flags are {flags:#x}')
    go_on(packets, 4)
    check(machine.answer() == 'ok', 'the call failed')
    interrupted(client)
    packets.leave()


def given_up_asleep(machine):
    packets, thread, place = before_a_fault(machine, 4)
    client = packets.client
    stack = client.register('rsp', thread)
    client.resume(f's:{thread};c')
    check(machine.answer() == 'ok', 'the thread is not made')
    machine.order('asleep')
    interrupted(client)
    saved = (stack & ~15) - 40
    check(client.word(saved) == place, 'the handler does not return to the instruction')
    flags = client.word(saved + 16)
    check(flags & (TRAP | MASK) == MASK, f'the handler returns with the flags {flags:#x}')
    return packets


def a_step_given_up_leaves_nothing(machine):
    """A stop while its task sleeps: nobody waits for its end any more, and none comes."""
    packets = given_up_asleep(machine)
    go_on(packets, 4)
    machine.order('supply 1')
    interrupted(packets.client)
    packets.leave()


def the_module_goes_while_a_step_is_under_way(machine):
    """rmmod is such a stop, be it that the task sleeps or that it is not there yet."""
    for waits in (True, False):
        packets, thread, _ = before_a_fault(machine, 4)
        packets.client.resume(f's:{thread};c')
        check(machine.answer() == 'ok', 'the thread is not made')
        if waits:
            machine.order('asleep')
        machine.order('rmmod')
        packets.client.close()
        machine.order('supply 1')
        machine.order(machine.insert)


def a_debugger_that_says_nothing_is_lost(machine):
    """With silence=1: what it has left armed is taken back, and the kernel runs; but who waits for a stop may be silent for long."""
    machine.order('rmmod')
    machine.order(machine.insert + ' silence=1')
    packets = Packets(machine)
    client, call, watched = packets.client, packets.at('__x64_sys_getppid'), packets.at('watchdog_thresh')
    before = client.read(call, 4)
    client.resume()
    check(client.nothing_comes(2.5), 'something comes')
    interrupted(client)
    client.insert(0, call)
    client.insert(2, watched, 4)
    client.close()  # of the machine's line this is no end
    machine.order('calls 10')
    machine.order(f'write {VARIABLE} 10')
    second = Packets(machine)
    check(second.client.read(call, 4) == before, 'the breakpoint is there still')
    second.leave()
    machine.order('rmmod')
    machine.order(machine.insert)


SESSIONS = [the_layer_knows_what_is_armed, a_step_over_a_fault_ends_in_its_handler, a_step_whose_task_moves_is_told,
            a_step_given_up_leaves_nothing, the_module_goes_while_a_step_is_under_way,
            a_debugger_that_says_nothing_is_lost]


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
