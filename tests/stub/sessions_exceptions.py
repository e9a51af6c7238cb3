"""Sessions about exceptions of the program: steps that meet them, and those that nobody handles. For sessions.py."""

import re

from bare_machine import PROCESSORS, X86, leave, nothing_stray  # pylint: disable=wrong-import-position,import-error
from client import Stop  # pylint: disable=wrong-import-position,import-error
from expects import Failed, check, expect  # pylint: disable=wrong-import-position,import-error

# Where the example with tasks has them.
TASKS = 0x40400000
STEPS_MAX = 300  # until what is looked for comes



def tasks_are_stepped_by_their_kernel(machine):
    """A kernel steps a task at EL0 by SPSR.SS and MDSCR_EL1.SS, with switches between: the stub leaves it what is its own."""
    client, names = machine.client(), machine.symbols
    code, length = TASKS, names['task_code_end'] - names['task_code']
    loop = list(range(code + 4, code + length, 4))
    client.insert(0, names['steps_done'])
    client.set_word(names['wanted'], 20)
    client.run()
    check(client.word(names['steps']) == 20, f'{client.word(names["steps"])} steps were made')
    ends = [client.word(names['trace'] + 8 * n) for n in range(20)]
    first = loop.index(ends[0])
    check(ends == [loop[(first + n) % len(loop)] for n in range(20)], f'the steps ended at {[hex(end) for end in ends]}')
    check(client.word(names['switches']) >= 20, 'no other task came between')
    # And no step is left once the task runs on.
    client.remove(0, names['steps_done'])
    client.insert(0, names['system_call'])
    for _ in range(10):
        client.run()
        client.remove(0, names['system_call'])
        client.step('1')
        client.insert(0, names['system_call'])
    check((client.word(names['steps']), client.word(names['stray'])) == (20, 0),
          f'{client.word(names["steps"])} steps, {client.word(names["stray"])} stray ones')
    client.remove(0, names['system_call'])
    leave(client)


def steps_lead_from_a_task_into_the_kernel(machine):
    """The debugger steps at EL0 too; over a system call the step ends in the kernel's handler, and says why."""
    client, names = machine.client(), machine.symbols
    client.insert(1, TASKS + 4)
    check(client.run().has('hwbreak'), 'the task does not come to its loop')
    client.remove(1, TASKS + 4)
    for offset in (8, 12, 16):
        place = int.from_bytes(client.step('1').registers[machine.cpu.program_counter], 'little')
        check(place == TASKS + offset, f'a step ends at {place:#x}')
    stop = client.step('1')
    place = int.from_bytes(stop.registers[machine.cpu.program_counter], 'little')
    check(names['on_exception'] <= place < names['on_exception'] + 256, f'the step over svc ends at {place:#x}')
    # What the handler reads then is its own exception's: it is the system call that it was.
    client.insert(0, names['system_call'])
    check(client.run().has('swbreak'), 'the kernel does not come to its system call')
    client.remove(0, names['system_call'])
    leave(client)


def at_fault(machine, client):
    """A processor stands at the instruction that is none; the stop, and where that is."""
    names = machine.symbols
    client.insert(0, names['provoke'])
    client.set_word(names['provoked'], 1)
    stop = client.run()
    client.remove(0, names['provoke'])
    place = names['provoke']
    for _ in range(STEPS_MAX):
        if client.read(place, machine.cpu.fault_size) in (b'\x0f\x0b', bytes(4)):
            return stop, place
        place = int.from_bytes(client.step(stop.thread).registers[machine.cpu.program_counter], 'little')
    raise Failed('the instruction that is none does not come')


def given_up(machine, client):
    """x86: a step over a fault, with no debug register free for the handler's first instruction, stops at a breakpoint in the handler.
    The stop, where the breakpoints in it are, and all that were set."""
    names = machine.symbols
    stop, _ = at_fault(machine, client)
    handler = names['fault_entry']
    code = client.read(handler, 48)
    inside = [handler + code.index(b'\x48\x83\x04\x24\x02') + 5, handler + code.index(b'\x48\xcf')]  # behind addq $2, (%rsp); at iretq
    points = inside + [names['processor_main'], names['main']]
    for point in points:
        client.insert(1, point)
    stopped = client.step(stop.thread)
    check(client.pc(stopped.thread) == inside[0], f'{stopped} is at {client.pc(stopped.thread):#x}')
    return stopped, inside, points


def goes_on_with(machine, client, thread):
    """Whether a processor comes through its round again with the program's own flags."""
    meet = machine.symbols['meet']
    client.insert(0, meet)
    met = client.run()
    while met.thread != thread:
        client.remove(0, meet)
        client.step(met.thread)
        client.insert(0, meet)
        met = client.run()
    client.remove(0, meet)
    return machine.cpu.flags_are_right(client.register(machine.cpu.flags, thread))


def a_step_given_up_in_a_handler_leaves_no_trap(machine):
    """x86: what is met in the handler meanwhile finds the handler's own flags, and when it has returned no trap of the step is told."""
    client = machine.client()
    _, inside, points = given_up(machine, client)
    stopped = client.run()
    check(client.pc(stopped.thread) in inside, f'{stopped} is at {client.pc(stopped.thread):#x}')
    check(client.register('eflags', stopped.thread) & 0x300 == 0, f'{stopped}: the handler has the flags of the program')
    for point in points:
        client.remove(1, point)
    nothing_stray(client)
    leave(client)


def a_step_given_up_is_over_when_its_handler_is_stepped(machine):
    """x86: gdb goes on from a breakpoint by a step. In the handler that takes nothing of what the handler's return is to put right: neither
    the trap flag nor the mask of the step that was given up stays in the program."""
    client = machine.client()
    stopped, inside, points = given_up(machine, client)
    for point in points:
        client.remove(1, point)
    place = inside[0]
    while place != inside[1]:
        place = int.from_bytes(client.step(stopped.thread).registers[0x10], 'little')
    stack = client.register('rsp', stopped.thread)
    back = client.word(stack)
    returned = client.step(stopped.thread)
    check(client.pc(returned.thread) == back, f'{returned} is at {client.pc(returned.thread):#x}, not behind the return')
    for number in range(4):
        flags = client.register('eflags', stopped.thread)
        check(machine.cpu.flags_are_right(flags), f'{number} steps behind the return the flags are {flags:#x}')
        client.step(stopped.thread)
    nothing_stray(client)
    leave(client)


def going_on_by_steps_after_one_given_up_leaves_nothing(machine):
    """x86: the same where the handler returns by itself, behind a step in it."""
    client = machine.client()
    stopped, _, points = given_up(machine, client)
    for point in points:
        client.remove(1, point)
    client.step(stopped.thread)
    nothing_stray(client)
    check(goes_on_with(machine, client, stopped.thread), 'the program has other flags than its own')
    leave(client)


def a_step_given_up_deep_in_a_handler_leaves_no_trap(machine):
    """x86: the same where what the step went back by still lies on the stack, and where the exception has a stack of its own."""
    client, names = machine.client(), machine.symbols
    for kind in (1, 2):
        client.set_word(names['deep'], kind)
        stop, _ = at_fault(machine, client)
        points = [names[name] for name in ('deep_inside', 'fault_entry', 'processor_main', 'main')]
        for point in points:
            client.insert(1, point)
        stopped = client.step(stop.thread)
        check(client.pc(stopped.thread) == points[0], f'{stopped} is at {client.pc(stopped.thread):#x}')
        for point in points:
            client.remove(1, point)
        nothing_stray(client)
        check(goes_on_with(machine, client, stopped.thread), f'with a handler of kind {kind} the program has other flags than its own')
    leave(client)


def a_step_over_a_fault_ends_in_its_handler(machine):
    """What the handler finds saved is the program's own, and it returns to the instruction behind."""
    client, names = machine.client(), machine.symbols
    stop, place = at_fault(machine, client)
    handler = names[machine.cpu.fault_handler]
    landed = int.from_bytes(client.step(stop.thread).registers[machine.cpu.program_counter], 'little')
    check(handler <= landed < handler + machine.cpu.fault_handler_size, f'the step ends at {landed:#x}')
    if machine.cpu is X86:
        stack = client.register('rsp', stop.thread)
        check(machine.cpu.flags_are_right(client.word(stack + 16)), 'the saved flags are not the program\'s')
    client.insert(0, place + machine.cpu.fault_size)
    client.run()
    check(client.word(names['machine_faults']) == 1, f'{client.word(names["machine_faults"])} exceptions were counted')
    client.remove(0, place + machine.cpu.fault_size)
    leave(client)


# ---- Exceptions that nobody handles ----

def told(client):
    """What `monitor exceptions` says, which comes as console output."""
    client.output.clear()
    reply = client.request('qRcmd,' + b'exceptions'.hex())
    return (client.output + (b'' if reply == b'OK' else bytes.fromhex(reply.decode()))).decode()


def is_told(machine, client, stop, name, signal, said):
    """A stop for an exception, where it is and what is said of it."""
    names = machine.symbols
    place = names[f'raise_{name}_at'] if name != 'jump' else 32
    check(stop.signal == signal, f'{stop} came for raise_{name}')
    check(client.pc(stop.thread) == place, f'raise_{name} is told at {client.pc(stop.thread):#x}')
    text = told(client)
    check(re.search(rf'^processor {int(stop.thread) - 1}: {said}\) at {place:#x}\.$', text, re.MULTILINE), f'of raise_{name} it says {text!r}')


def exceptions_are_told(machine):
    """A fault of the program's is a signal at its instruction, with what the machine said; again when it is executed again."""
    client, names = machine.client(), machine.symbols
    for number, (name, signal, said) in machine.cpu.exceptions.items():
        client.set_word(names['raised'], number)
        client.set_word(names['provoked'], number % PROCESSORS)
        client.output.clear()
        stop = client.run()
        check(re.search(said, client.output.decode()), f'the console says {bytes(client.output)!r}')
        check(stop.thread == str(number % PROCESSORS + 1), f'{stop} is of another processor')
        is_told(machine, client, stop, name, signal, said)
        is_told(machine, client, client.run(), name, signal, said)
        client.set_register(client.pc_name, names[f'raise_{name}_behind'], stop.thread)
        check(client.step(stop.thread).signal == 5, 'no step leads on from there')
        check('No processor' in told(client), f'it still says {told(client)!r}')
    client.set_word(names['raised'], 0)
    nothing_stray(client)
    leave(client)


def steps_meet_exceptions(machine):
    """A step over such an instruction ends with the signal, or in the handler that then finds nothing to do; masks and flags are the program's."""
    client, names = machine.client(), machine.symbols
    client.set_word(names['raised'], 3)
    client.insert(0, names['raise_read'])
    client.set_word(names['provoked'], 1)
    stop = client.run()
    client.remove(0, names['raise_read'])
    flags = client.register(machine.cpu.flags, stop.thread) & ~machine.cpu.fault_flags
    for _ in range(2):
        client.set_register(client.pc_name, names['raise_read'], stop.thread)
        check(client.step(stop.thread).signal == 5, 'the first step meets something')
        stop = client.step(stop.thread)
        if machine.cpu is not X86:
            check(client.pc(stop.thread) != names['raise_read_at'], f'{stop} is not in the handler')
            stop = client.run()
        is_told(machine, client, stop, *machine.cpu.exceptions[3])
        now = client.register(machine.cpu.flags, stop.thread) & ~machine.cpu.fault_flags
        check(now == flags, f'the flags were {flags:#x} and are {now:#x}')
    client.set_register(client.pc_name, names['raise_read_behind'], stop.thread)
    client.set_word(names['raised'], 0)
    nothing_stray(client)
    leave(client)


def a_break_is_told_once(machine):
    """The debugger for which the source waits finds it standing there, and when it goes on the same is not told again."""
    client = machine.client()
    stop = Stop(client.ask('?'))
    check((stop.signal, stop.thread) == (5, '1'), f'{stop}: it does not wait')
    nothing_stray(client)
    leave(client)


def an_exception_waits_for_a_debugger(machine):
    """With nobody at the line it is the next debugger that finds it; gdb has its name for it."""
    client, names = machine.client(), machine.symbols
    client.set_word(names['raised'], 4)
    client.set_word(names['provoked'], 2)
    leave(client)
    text = machine.gdb(['info threads', 'print provoked', 'monitor exceptions', 'continue', 'info symbol $pc', 'monitor exceptions',
                        'set $pc = raise_write_behind', 'set variable raised = 0', 'break meet if number == 2', 'continue', 'delete',
                        'detach'])
    expect(text, machine.cpu.exceptions[4][2], 'SIGSEGV', 'raise_write_at', rf'processor 2: {machine.cpu.exceptions[4][2]}',
           r'hit Breakpoint 1, meet')
