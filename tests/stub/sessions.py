#!/usr/bin/env python3
"""Sessions of stock gdb and of scripted packets with the stub in a machine of four processors (tests/stub/busy.c), on
x86-64 and on arm64.

QEMU emulates the machine: its debug registers, its single steps, its interrupts between processors. Nothing here sleeps
to wait; every wait has a deadline.
"""

import argparse
import pathlib
import re
import shutil
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / 'tests/conformance'))
from bare_machine import CPUS, PROCESSORS, X86, Machine, leave, nothing_stray  # pylint: disable=wrong-import-position,import-error
import bytecode  # pylint: disable=wrong-import-position,import-error
from client import Stop  # pylint: disable=wrong-import-position,import-error
from expects import Failed, check, expect  # pylint: disable=wrong-import-position,import-error
import sessions_exceptions as exceptions  # pylint: disable=wrong-import-position,import-error
import sessions_exclusive as exclusive  # pylint: disable=wrong-import-position,import-error
import sessions_missing as missing  # pylint: disable=wrong-import-position,import-error


# ---- Sessions of gdb ----

def gdb_sees_everything(machine):
    """Breakpoints, conditions, steps, processors as threads; leaving, and coming back."""
    text = machine.gdb(['info threads', 'break meet if number == 2', 'continue', 'info threads', 'backtrace', 'print number',
                        'finish', 'delete', 'detach'])
    expect(text, r'processor 0', r'hit Breakpoint 1, meet \(number=(number@entry=)?2\)', r'processor 3', r'#0 +meet \(number=(number@entry=)?2\)',
           r'#1 .* work \(number=(number@entry=)?2\)', r'\$1 = 2', r'^work \(number=')
    text = machine.gdb(['print rounds[0] > 0 && rounds[3] > 0', 'stepi', 'detach'])
    expect(text, r'\$1 = 1')


def gdb_watches_from_every_processor(machine):
    """The scenario that KGDB cannot do: which watchpoint, its old and its new value, on whichever processor."""
    for number in range(PROCESSORS):
        text = machine.gdb([f'set watched = {10 * number}', 'watch watched', f'set writer = {number}', 'continue', 'backtrace',
                            'info threads', 'delete', 'detach'])
        expect(text, r'hit Hardware watchpoint 1: watched', rf'Old value = {10 * number}\n', rf'New value = {11 * number + 1}\n',
               rf'#0 .*work \(number=(number@entry=)?{number}\)', rf'^\* \d+ .*processor {number}')
    text = machine.gdb(['rwatch watched', 'set reader = 3', 'continue', 'delete', 'awatch watched', 'set reader = 1', 'continue',
                        'set writer = 2', 'continue', 'continue', 'delete', 'detach'])
    expect(text, r'hit Hardware read watchpoint 1: watched', r'Value = \d+', r'hit Hardware access \(read/write\) watchpoint 2',
           r'Value = ', r'hit Hardware access \(read/write\) watchpoint 2', r'Old value = ', r'New value = ')


def gdb_arms_four_and_no_fifth(machine):
    """Four watchpoints at once; the fifth is refused with a reason."""
    text = machine.gdb(['watch watched', 'watch other[0]', 'watch other[1]', 'watch other[2]', 'set writer = 1', 'continue',
                        'watch seen', 'continue', 'detach'])
    expect(text, r'hit Hardware watchpoint 1: watched', r'debug registers|hardware breakpoints|Could not insert')


def lldb_and_the_prompt_see_the_same(machine):
    """The same stop by lldb and at Trapline's own prompt."""
    text = machine.lldb(['breakpoint set -n meet', 'continue', 'bt', 'breakpoint delete -f', 'watchpoint set variable watched',
                         f'memory write -s 8 {machine.symbols["writer"]:#x} 1', 'continue', 'detach'])
    expect(text, r'stop reason = breakpoint 1', r'frame #0: .*meet\(number=\d\)', r'frame #1: .*work\(number=\d\)',
           r'stop reason = watchpoint 1')
    text = machine.trapline(['info threads', 'break meet if number == 1', 'continue', 'backtrace', 'delete', 'watch watched',
                             'set variable writer = 3', 'continue', 'delete', 'detach'])
    expect(text, r'processor 3', r'hit Breakpoint 1, meet \(number=(number@entry=)?1\)', r'#1 .* work \(number=(number@entry=)?1\)',
           r'hit Hardware watchpoint 2: watched', r'Old value = 2\n', r'New value = 6\n')


def gdb_calls_functions(machine):
    """Functions of the program's, called on the stack of a processor that stands, and the program goes on as if nothing had been."""
    text = machine.gdb(['break meet if number == 2', 'continue', 'delete', 'set scheduler-locking on', 'set variable flags_seen = 0',
                        'call read_flags()', 'print flags_seen != 0', 'print rounds[1] + 1', 'call meet(1)', 'print rounds[1]', 'backtrace',
                        'stepi', 'stepi', 'set scheduler-locking off', 'break meet if number == 2', 'continue', 'detach'])
    expect(text, r'hit Breakpoint 1, meet', r'\$1 = 1\n', r'\$2 = (\d+)\n\$3 = \1\n', r'#0 +meet \(number=(number@entry=)?2\)',
           r'#1 .* work \(number=(number@entry=)?2\)', r'hit Breakpoint 2, meet')


# ---- Scripted packets ----

def steps_stay_in_the_code(machine):
    """1,000 steps under a timer that fires a thousand times a second: none leads into its handler."""
    client = machine.client()
    straight, ticks, entry = (machine.symbols[name] for name in ('straight', 'machine_ticks', machine.cpu.handler))
    client.insert(0, straight)
    stop = client.run()
    client.remove(0, straight)
    check(stop.thread == '1', f'processor {stop.thread} runs straight()')
    before = client.word(ticks)
    for _ in range(1000):
        place = int.from_bytes(client.step('1').registers[machine.cpu.program_counter], 'little')
        check(not entry <= place < entry + machine.cpu.handler_size, f'a step ends in the handler, at {place:#x}')
    # And time goes on as soon as the program does.
    client.insert(0, straight)
    while client.word(ticks) == before:
        client.run()
        client.remove(0, straight)
        client.step('1')
        client.insert(0, straight)
    client.remove(0, straight)
    leave(client)


def pushed_flags_are_the_programs(machine):
    """Steps over pushf leave neither the trap flag nor a masked interrupt flag on the stack; nor does `mrs daif` see ours."""
    client = machine.client()
    work, flags = machine.symbols['read_flags'], machine.symbols['flags_seen']
    for _ in range(8):
        client.insert(0, work)
        client.run()
        client.remove(0, work)
        client.set_word(flags, 0)
        while client.word(flags) == 0:
            client.step('1')
        check(machine.cpu.flags_are_right(client.word(flags)), f'the program saw its flags as {client.word(flags):#x}')
    leave(client)


def all_meet_one_breakpoint(machine):
    """Every processor hits it; each is told, and when it is gone nothing stray comes."""
    client = machine.client()
    meet, rounds = machine.symbols['meet'], machine.symbols['rounds']
    client.insert(0, meet)
    told = set()
    while len(told) < PROCESSORS:
        stop = client.run()
        check(stop.has('swbreak'), f'{stop} is no breakpoint')
        told.add(stop.thread)
        # As gdb does: the point out, one step of that processor alone, and in again.
        client.remove(0, meet)
        client.step(stop.thread)
        client.insert(0, meet)
    client.remove(0, meet)
    before = [client.word(rounds + 8 * n) for n in range(PROCESSORS)]
    client.resume()
    client.write(b'\x03')
    stop = client.wait_stop()
    check(stop.signal == 2, f'{stop} came, and not the interrupt')
    for n in range(PROCESSORS):
        check(client.word(rounds + 8 * n) >= before[n], f'processor {n} went back')
    leave(client)


def false_conditions_stay_in_ring_0(machine):
    """A condition in bytecode is decided where it is hit: rounds go by, and no packet until it is true."""
    client = machine.client()
    meet, rounds = machine.symbols['meet'], machine.symbols['rounds']
    before = client.word(rounds)
    wanted = before + 1000
    client.insert(0, meet, conditions=[bytecode.equal(bytecode.word(rounds), bytecode.constant(wanted)) + bytecode.END])
    stop = client.run()
    check(stop.has('swbreak'), f'{stop} is no breakpoint')
    check(client.word(rounds) == wanted, f'it stopped after {client.word(rounds) - before} rounds, not after 1000')
    client.remove(0, meet)
    leave(client)


def what_lies_beside_the_stub_is_watched(machine):
    """A word of the program's on a page with the stub's own, which it writes as it comes in: QEMU takes some of those stores for hits."""
    client, ticks = machine.client(), machine.symbols['machine_ticks']
    client.insert(2, ticks, 8)
    for _ in range(3):
        stop = client.run()
        check(stop.has('watch') and int(stop.value('watch'), 16) == ticks, f'{stop} is no hit of it')
    client.remove(2, ticks, 8)
    nothing_stray(client)
    leave(client)


def a_lost_debugger_leaves_nothing(machine):
    """A debugger that says no word any more, and another that comes: the first one's points are gone."""
    client = machine.client()
    meet = machine.symbols['meet']
    client.insert(0, meet, conditions=[bytecode.always(0) + bytecode.END])
    client.resume()
    client.close()
    second = machine.client()
    check(Stop(second.ask('?')).thread is not None, 'nothing stands')
    second.resume()
    second.write(b'\x03')
    stop = second.wait_stop()
    check(stop.signal == 2, f'{stop}: something of the first debugger is left')
    leave(second)


def garbage_is_survived(machine):
    """Half packets, wrong checksums, packets that are too long: then an ordinary session."""
    for garbage in (b'$m400000,4#00', b'$$$$', b'\x03\x03', b'$' + b'x' * 5000 + b'#00', b'}#]*' * 50, b'$vCont;s:9#10',
                    b'$Z0,zz#00', b'$g#67' * 3, bytes(range(256)), b'$qSupp', b'$qSupported#37' * 2):
        machine.line.sendall(garbage)
    # What was answered to that is taken off the line, up to something that only we ask for.
    text = b'm%x,2' % machine.symbols['writer']
    machine.line.sendall(b'$qSupported#37$' + text + b'#%02x' % (sum(text) & 255))
    answers = b''
    while not re.search(rb'\$0400#..', answers):
        try:
            answers += machine.line.recv(4096)
        except TimeoutError as error:
            raise Failed(f'after the garbage there came only {answers!r}') from error
    machine.line.sendall(b'+')
    gdb_sees_everything(machine)


# Which are about the example with tasks, about what only 64-bit Arm has, and about what only x86 has.
WITH_TASKS = [exceptions.tasks_are_stepped_by_their_kernel, exceptions.steps_lead_from_a_task_into_the_kernel]
EXCLUSIVE = [exclusive.points_inside_exclusive_sequences, exclusive.exclusive_stores_are_watched, exclusive.exclusive_loads_are_watched,
             exclusive.steps_lead_through_exclusive_sequences]
MISSING = [missing.a_processor_that_does_not_come, missing.gdb_lists_one_that_does_not_come, missing.one_that_comes_late]
LEFT = [exceptions.a_step_given_up_in_a_handler_leaves_no_trap, exceptions.a_step_given_up_is_over_when_its_handler_is_stepped,
        exceptions.going_on_by_steps_after_one_given_up_leaves_nothing, exceptions.a_step_given_up_deep_in_a_handler_leaves_no_trap]
SESSIONS = [gdb_sees_everything, gdb_watches_from_every_processor, gdb_arms_four_and_no_fifth,
            lldb_and_the_prompt_see_the_same, gdb_calls_functions, steps_stay_in_the_code,
            pushed_flags_are_the_programs, all_meet_one_breakpoint, false_conditions_stay_in_ring_0,
            what_lies_beside_the_stub_is_watched, a_lost_debugger_leaves_nothing, garbage_is_survived, exceptions.a_step_over_a_fault_ends_in_its_handler,
            *LEFT, *WITH_TASKS, exceptions.exceptions_are_told, exceptions.steps_meet_exceptions, exceptions.an_exception_waits_for_a_debugger,
            exceptions.a_break_is_told_once, *MISSING, *EXCLUSIVE]
# Where the processors are to run at once, each in a thread of the host. Elsewhere they take turns: processors that wait
# for another one burn no time of the host then.
AT_ONCE = {gdb_sees_everything, all_meet_one_breakpoint, false_conditions_stay_in_ring_0, garbage_is_survived,
           exclusive.exclusive_stores_are_watched}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split('\n\n', maxsplit=1)[0])
    parser.add_argument('--build', default=str(ROOT / 'build'))
    parser.add_argument('--cpu', choices=CPUS, default='x86-64')
    parser.add_argument('sessions', nargs='*')
    options = parser.parse_args()
    cpu = CPUS[options.cpu]
    for program in (cpu.emulator[0], cpu.gdb):
        if shutil.which(program) is None:
            print(f'{program} is not installed')
            return 77
    failed = 0
    chosen = [session for session in SESSIONS if not options.sessions or session.__name__ in options.sessions]
    others = [*WITH_TASKS, *MISSING, *EXCLUSIVE] if cpu is X86 else [*LEFT, what_lies_beside_the_stub_is_watched]
    chosen = [session for session in chosen if session not in others]
    for session in chosen:
        start = time.monotonic()
        image = cpu.tasks if session in WITH_TASKS else cpu.example if session is exceptions.a_break_is_told_once else None
        machine = Machine(options.build, cpu, session in AT_ONCE, image)
        try:
            session(machine)
            print(f'ok {session.__name__} ({time.monotonic() - start:.1f} s)', flush=True)
        except Exception as error:  # pylint: disable=broad-except
            failed += 1
            print(f'FAILED {session.__name__}: {type(error).__name__}: {error}', flush=True)
        finally:
            machine.end()
    print(f'{len(chosen) - failed} passed, {failed} failed')
    return failed != 0


if __name__ == '__main__':
    sys.exit(main())
