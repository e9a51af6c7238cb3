"""What a debugger of a virtual machine must get right, and others do not: each scene judges it by what the guest itself
counted (guests/crowd.c), not by how long it took."""

import os
import pathlib
import struct

import bytecode
from client import Ended, Hang, Refused
from session import *  # noqa: F403
from session import BLOCKED, FAR, FLAGS, HALT, ICEBP, INT3, INT_3, MAP, NMI, ODD, OFF, RESET, STORE, TABLES, TIMER, TRACE, TRIPLE, WATCH
from session import Failed, Skip, Stop, check, equal, scene, wait_until

PERIOD = 3000000  # of a firing timer, nanoseconds: some ten thousand instructions where the processor is emulated
RDI = b'\x26' + struct.pack('>H', 5)
IF, TF = 0x200, 0x100


# ---- all processors ----

@scene(fast=True, points=False)
def everybody_runs_and_stops(t):
    """All processors start, run, and stand when one is stopped; each is a thread."""
    t.gather()
    equal(len(t.threads()), t.cpus, 'the number of threads')
    before = t.words('counter')
    check(not t.client.packets and t.words('counter') == before, 'somebody runs while all are stopped')
    t.run_until(lambda: all(new > old for new, old in zip(t.words('counter'), before)), 'everybody to go on')
    t.books()


@scene(least=2, fast=True)
def breakpoint_that_all_hit_and_that_goes(t):
    """All processors hit one breakpoint, which is then removed: no stray stop, no trap in the guest, nobody lost."""
    t.gather()
    for _ in range(5):
        t.client.insert(0, t['crowd_hot'])
        stop = t.client.run()
        check(stop.signal == 5, f'the hit is told as {stop}')
        equal(t.client.pc(stop.thread), t['crowd_hot'], 'the program counter')
        t.client.remove(0, t['crowd_hot'])
        before = t.words('counter')
        t.client.resume('c')
        check(t.client.nothing_comes(0.05), 'a stop for a breakpoint that has gone')
        t.stop()
        t.run_until(lambda: all(new > old for new, old in zip(t.words('counter'), before)), 'everybody to go on')
        equal(t.words('traps'), [0] * t.cpus, 'the traps that the guest got')
        t.books()


@scene(least=2, fast=True)
def hits_of_all_are_told(t):
    """While it stays, a breakpoint that all hit is told of each of them, one after the other, and hits are exact."""
    t.gather()
    seen = set()
    t.client.insert(0, t['crowd_hot'])
    for _ in range(12 * t.cpus):
        before = t.words('hot_calls')
        stop = t.client.run()
        cpu = t.cpu_of(stop)
        seen.add(cpu)
        equal(t.client.pc(stop.thread), t['crowd_hot'], 'the program counter')
        after = t.words('hot_calls')
        check(all(new - old <= 1 for new, old in zip(after, before)), f'a processor went past the breakpoint: {before} then {after}')
        # As clients do: the one that was told is stepped off it, with the others where they are.
        t.client.remove(0, t['crowd_hot'])
        t.client.step(stop.thread)
        equal(t.client.pc(stop.thread), t['crowd_hot_second'], 'the program counter behind a step')
        t.client.insert(0, t['crowd_hot'])
        if len(seen) == t.cpus:
            break
    equal(seen, set(range(t.cpus)), 'the processors that were told of')
    t.client.remove(0, t['crowd_hot'])
    t.books()


@scene(least=2, fast=True)
def hardware_breakpoint_on_every_processor(t):
    """A hardware breakpoint is armed on every processor."""
    t.gather()
    seen = set()
    t.client.insert(1, t['crowd_hot'])
    for _ in range(20 * t.cpus):
        stop = t.client.run()
        equal(t.client.pc(stop.thread), t['crowd_hot'], 'the program counter')
        check(stop.has('hwbreak') or not t.client.features.get('hwbreak') == '+', f'it is told as {stop}')
        seen.add(t.cpu_of(stop))
        if len(seen) == t.cpus:
            break
        t.client.remove(1, t['crowd_hot'])
        t.client.step(stop.thread)
        t.client.insert(1, t['crowd_hot'])
    equal(seen, set(range(t.cpus)), 'the processors that hit it')
    t.client.remove(1, t['crowd_hot'])
    before = t.words('counter')
    t.run_until(lambda: all(new > old for new, old in zip(t.words('counter'), before)), 'everybody to go on')
    equal(t.words('debugs'), [0] * t.cpus, 'the debug exceptions that the guest got')
    t.books()


@scene(least=2)
def processors_that_start_while_others_stand(t):
    """Processors that are started by one that steps, while the rest stands, join those that stand."""
    t.run_to(t['wake_others'], kind=1)
    begun = t.stopped.thread
    end = t['load_gates']
    for _ in range(100):
        if t.client.pc(begun) == end:
            break
        stop = t.client.run(f's:{begun}')
        equal(stop.thread, begun, 'the thread that a step is told of')
    else:
        raise Failed('load_gates is not reached by steps')
    equal(t.word('running'), 0, 'the processors that run while they must stand')
    t.gather()
    t.books()


# ---- steps ----

def step_through(t, thread, steps, allowed):
    """Steps, with the others where they are; each lands in the given functions."""
    for _ in range(steps):
        stop = t.client.run(f's:{thread}')
        check(stop.kind == 'T' and stop.signal == 5, f'a step ends in {stop}')
        equal(stop.thread, thread, 'the thread of a step')
        at = t.client.pc(thread)
        check(any(low <= at < high for low, high in allowed), f'a step landed at {at:#x}')


@scene(fast=True, points=False)
def steps_are_counted_by_the_guest(t):
    """So many steps are so many instructions: a loop of three does as many rounds."""
    t.gather()
    thread = t.stopped.thread
    cpu = t.cpu_of(t.stopped)
    register = t.client.set_register
    before = t.word('seen', cpu)
    keep = t.client.pc(thread)
    t.client.select(thread)
    whole = t.client.all_registers()
    register('rip', t['crowd_blocked_loop'], thread)
    register('rdi', 1000, thread)
    register('rsi', t['crowd_seen'] + 8 * cpu, thread)
    for count in range(30):
        t.client.run(f's:{thread}')
        wanted = [t['crowd_blocked_loop'] + 3, t['crowd_blocked_loop'] + 6, t['crowd_blocked_loop']][count % 3]
        equal(t.client.pc(thread), wanted, f'the program counter after {count + 1} steps')
    equal(t.word('seen', cpu) - before, 10, 'the rounds of thirty steps')
    t.client.select(thread)
    t.client.order('G' + whole.decode())
    equal(t.client.pc(thread), keep, 'the program counter as it was')
    before = t.words('counter')
    t.run_until(lambda: all(new > old for new, old in zip(t.words('counter'), before)), 'everybody to go on')


@scene(fast=True)
def step_under_a_firing_timer(t):
    """Steps do not land in the handler of a timer that fires all the time; the timer is not lost either."""
    t.gather()
    for cpu in range(t.cpus):
        t.serve(TIMER, PERIOD, cpu)
    t.run_until(lambda: all(count > 1 for count in t.words('ticks')), 'timers to fire')
    stop = t.run_to(t['crowd_hot'])
    allowed = [(t['guest_main'], t['guest_main'] + 0x400), (t['crowd_hot'], t['crowd_hot_second'] + 1)]
    before = t.word('counter', t.cpu_of(stop))
    step_through(t, stop.thread, 60, allowed)
    rounds = t.word('counter', t.cpu_of(stop)) - before
    check(2 <= rounds <= 20, f'sixty steps made {rounds} rounds')
    ticks = t.words('ticks')
    t.run_until(lambda: all(new > old for new, old in zip(t.words('ticks'), ticks)), 'timers to fire again')
    t.books()


@scene(fast=True)
def flags_that_the_guest_pushes_are_its_own(t):
    """Stepped over pushf, popf, cli, sti and mov ss, the guest sees neither our trap flag nor interrupts off."""
    t.gather()
    t.serve(FLAGS)
    free = t.word('seen')
    check(free & IF and not free & TF and not free >> 32 & IF, f'the guest pushed {free:#x}')
    t.set('seen', 0)
    t.request(FLAGS)
    stop = t.run_to(t['crowd_hard'])
    thread = stop.thread
    for _ in range(40):
        if t.client.pc(thread) == t['crowd_hard_end']:
            break
        stop = t.client.run(f's:{thread}')
        at = t.client.pc(thread)
        check(t['crowd_hard'] <= at <= t['crowd_hard_end'], f'a step landed at {at:#x}')
        check(not t.client.register('eflags', thread) & TF, 'the trap flag shows')
    equal(t.client.pc(thread), t['crowd_hard_end'], 'the end of the steps')
    t.run_until(lambda: t.word('seen') != 0, 'the guest to see its flags')
    equal(t.word('seen') & ~0x8d5, free & ~0x8d5, 'the flags that were pushed')  # but for those of arithmetic
    t.books()


@scene()
def step_over_hlt(t):
    """A step over hlt ends behind it, when an interrupt has come."""
    t.gather()
    t.serve(TIMER, PERIOD)
    t.request(HALT)
    stop = t.run_to(t['crowd_halt'])
    stop = t.client.run(f's:{stop.thread}')
    equal(t.client.pc(stop.thread), t['crowd_halt_after'], 'the program counter behind hlt')
    t.run_until(lambda: t.word('done') == 2, 'the guest to go on')
    t.books()


@scene(fast=True)
def watchpoint_in_a_step(t):
    """A watchpoint that is hit by an instruction that is stepped is told as one."""
    t.gather()
    t.request(STORE, 0x1234)
    stop = t.run_to(t['crowd_store'])
    t.client.insert(2, t['crowd_watched'], 8)
    stop = t.client.run(f's:{stop.thread}')
    check(stop.has('watch'), f'the step was told as {stop}')
    equal(int(stop.value('watch'), 16), t['crowd_watched'], 'the address that was written')
    equal(t.client.pc(stop.thread), t['crowd_stored'], 'the program counter')
    equal(t.word('watched'), 0x1234, 'what was written')
    t.client.remove(2, t['crowd_watched'], 8)
    t.run_until(lambda: t.word('done') == 1, 'the guest to go on')
    t.books()


@scene()
def nmi_in_a_step(t):
    """An NMI that comes while a processor is stepped waits (where KVM blocks it, too) or is handled whole; steps end where they
    would have without it, and it comes once."""
    t.gather()
    cpu = t.cpus - 1
    t.request(NMI, cpu, cpu)  # to itself: it comes behind the instruction that sends it
    stop = t.run_to(t['crowd_nmi'])
    equal(t.cpu_of(stop), cpu, 'the processor that sends it')
    places = []
    for _ in range(4):
        stop = t.client.run(f's:{stop.thread}')
        places.append(t.client.pc(stop.thread) - t['crowd_nmi_sent'])
        check(not t.client.register('eflags', stop.thread) & TF, 'the trap flag shows')
    equal(places, [0, 1, 2, 3], 'where four steps ended, behind the instruction that sends')
    check(t.word('nmis', cpu) <= 1, 'the NMI came more than once')
    t.run_until(lambda: t.word('done', cpu) == 1, 'the guest to go on')
    equal((t.word('nmis', cpu), t.word('debugs', cpu)), (1, 0), 'the NMIs and debug exceptions that the guest got')
    t.books()


@scene(fast=True)
def steps_over_rep_iret_and_syscall(t):
    """Each round of a string instruction is a step; iret and syscall end where they lead, and save the guest's own flags."""
    t.gather()
    t.serve(ODD)
    free = t.word('seen')
    check(not free & TF, f'the guest saved {free:#x}')
    t.set('seen', 0)
    t.client.write_memory(t['crowd_scratch'], bytes(8))
    t.request(ODD)
    stop = t.run_to(t['crowd_odd_rep'])
    thread = stop.thread
    for rounds in range(1, 6):
        t.client.run(f's:{thread}')
        equal(t.client.read(t['crowd_scratch'], 8), b'\x11' * rounds + bytes(8 - rounds), f'what {rounds} rounds stored')
    path = []
    for _ in range(24):
        t.client.run(f's:{thread}')
        path.append(t.client.pc(thread))
        if path[-1] == t['crowd_odd_end']:
            break
    tail = [t['crowd_odd_iret'], t['crowd_odd_returned'], t['crowd_odd_syscall'], t['crowd_odd_entry'], t['crowd_odd_entry'] + 2,
            t['crowd_odd_entry'] + 3, t['crowd_odd_back'], t['crowd_odd_end']]
    equal([hex(at) for at in path[-len(tail):]], [hex(at) for at in tail], 'the last steps')
    t.run_until(lambda: t.word('done') == 2, 'the guest to go on')
    equal(t.word('seen') & ~0x8d5, free & ~0x8d5, 'the flags that syscall saved')  # but for those of arithmetic
    t.books()


# ---- watchpoints ----

@scene(fast=True)
def watchpoint_tells_who_and_where(t):
    """A watchpoint stops whichever processor writes, once the write is done."""
    t.gather()
    cpu = t.cpus - 1
    t.client.insert(2, t['crowd_watched'], 8)
    t.request(STORE, 77, cpu)
    stop = t.client.run()
    check(stop.has('watch'), f'it is told as {stop}')
    equal(t.cpu_of(stop), cpu, 'the processor that wrote')
    equal(t.word('watched'), 77, 'what was written')
    equal(t.client.pc(stop.thread), t['crowd_stored'], 'the program counter')
    t.client.remove(2, t['crowd_watched'], 8)
    t.run_until(lambda: t.word('done', cpu) == 1, 'the guest to go on')
    t.books()


@scene()
def more_watchpoints_than_registers(t):
    """Eight watchpoints at once: beyond the four registers memory itself is guarded, as exactly."""
    t.gather()
    places = [t['crowd_watched'] + 8 * i for i in range(8)]
    for place in places:
        t.client.insert(2, place, 8)
    for turn, (value, index) in enumerate(((5, 0), (6, 7), (7, 4), (8, 0)), 1):
        t.request(STORE, index << 32 | value)
        stop = t.client.run()
        check(stop.has('watch'), f'it is told as {stop}')
        equal(int(stop.value('watch'), 16), places[index], 'the address')
        equal(t.client.word(places[index]), value, 'what was written')
        equal(t.client.pc(stop.thread), t['crowd_stored'], 'the program counter')
        t.run_until(lambda: t.word('done') == turn, 'the guest to go on')  # pylint: disable=cell-var-from-loop
    for place in reversed(places):
        t.client.remove(2, place, 8)
    before = t.word('done')
    t.serve(STORE, 9)
    equal((t.word('watched'), t.word('done')), (9, before + 1), 'what the guest did afterwards')
    t.books()


# ---- the guest's own ----

@scene(fast=True)
def guest_has_its_own_traps(t):
    """The guest's own int3, in both encodings, reach it while a breakpoint of ours is armed, each once, with its address."""
    t.gather()
    t.client.insert(0, t['crowd_store'])
    for number, (request, name) in enumerate([(INT3, 'crowd_int3_after'), (INT_3, 'crowd_int_3_after'), (INT3, 'crowd_int3_after')], 1):
        t.serve(request)
        equal(t.word('traps'), number, 'the traps that the guest got')
        equal(t.word('trap_address'), t[name], 'the address of the trap')
    t.request(STORE, 1)
    stop = t.client.run()
    equal(t.client.pc(stop.thread), t['crowd_store'], 'our own breakpoint')
    t.client.remove(0, t['crowd_store'])
    t.run_until(lambda: t.word('done') == 4, 'the guest to go on')
    t.serve(INT3)
    equal(t.word('traps'), 4, 'the traps without a breakpoint')
    t.books()


@scene(fast=True)
def guest_has_its_own_debug_registers(t):
    """The guest's own watchpoint, its icebp and its own steps are its own, with the DR6 that it expects."""
    t.gather()
    t.client.insert(0, t['crowd_store'])
    t.serve(WATCH)
    equal((t.word('debugs'), t.word('debug_status') & 0xf), (1, 1), 'the hit of its own watchpoint')
    t.serve(ICEBP)
    equal(t.word('debugs'), 2, 'its icebp')
    t.serve(TRACE)
    equal((t.word('debugs'), t.word('debug_status') & 0x400f), (7, 0x4000), 'its own steps')
    t.client.remove(0, t['crowd_store'])
    t.books()


@scene()
def guest_registers_are_masked_while_ours_are_armed(t):
    """While we have armed debug registers the guest's own do nothing; afterwards they do again."""
    t.gather()
    t.client.insert(2, t['crowd_watched'], 8)
    t.serve(WATCH)
    equal(t.word('debugs'), 0, 'the debug exceptions while ours are armed')
    t.client.remove(2, t['crowd_watched'], 8)
    t.serve(WATCH)
    equal(t.word('debugs'), 1, 'the debug exceptions afterwards')
    t.books()


# ---- pages that come later ----

FAR_ABOVE = 1 << 39


@scene(fast=True)
def breakpoint_before_its_page_is_there(t):
    """A breakpoint where no page is waits for it: the first instruction that runs there is a hit, and so are the next."""
    t.gather()
    try:
        t.client.read(t['crowd_store'] + FAR_ABOVE, 1)
        raise Failed('the page is there already')
    except Refused:
        pass
    t.client.insert(0, t['crowd_store'] + FAR_ABOVE)
    t.serve(MAP)
    for value in (11, 12):
        t.request(FAR, value)
        t.stopped = stop = t.client.run()
        check(stop.signal == 5 and not stop.has('hwbreak'), f'it is told as {stop}')
        equal(t.client.pc(stop.thread), t['crowd_store'] + FAR_ABOVE, 'the program counter')
        before = t.word('done')
        t.run_until(lambda: t.word('done') == before + 1, 'the guest to go on')  # pylint: disable=cell-var-from-loop
        equal(t.word('watched'), value, 'what was written')
    # The same byte at its other address is no hit.
    t.serve(STORE, 13)
    t.client.remove(0, t['crowd_store'] + FAR_ABOVE)
    t.serve(FAR, 14)
    equal(t.word('watched'), 14, 'what was written afterwards')
    equal(t.words('traps') + t.words('debugs'), [0] * (2 * t.cpus), 'the exceptions that the guest got')
    t.books()


@scene()
def guest_writes_over_a_breakpoint(t):
    """A guest that puts other code where a breakpoint stands keeps its code, and the breakpoint."""
    t.gather()
    t.client.insert(0, t['crowd_watched'] + 56)
    t.serve(STORE, 7 << 32 | 0x90909090)
    equal(t.client.read(t['crowd_watched'] + 56, 8), b'\x90' * 4 + bytes(4), 'what the guest wrote')
    t.client.remove(0, t['crowd_watched'] + 56)
    equal(t.client.word(t['crowd_watched'] + 56), 0x90909090, 'what is there without the breakpoint')
    t.books()


# ---- conditions ----

@scene(fast=True)
def condition_that_is_false(t):
    """A breakpoint with a false condition stops nobody, and nobody misses an instruction."""
    t.gather()
    t.client.insert(0, t['crowd_hot'], conditions=[bytecode.always(0) + bytecode.END])
    before = t.words('counter')
    t.run_until(lambda: all(new > old + 20 for new, old in zip(t.words('counter'), before)), 'everybody to pass the breakpoint')
    t.client.remove(0, t['crowd_hot'])
    equal(t.words('traps'), [0] * t.cpus, 'the traps that the guest got')
    t.books()


@scene(least=2)
def condition_that_one_processor_meets(t):
    """A condition on a register stops the processor that meets it and passes the others on."""
    t.gather()
    wanted = t.cpus - 1
    t.client.insert(0, t['crowd_hot'], conditions=[bytecode.equal(RDI, bytecode.always(wanted)) + bytecode.END])
    for _ in range(3):
        stop = t.client.run()
        equal(t.cpu_of(stop), wanted, 'the processor that stopped')
        equal(t.client.register('rdi', stop.thread), wanted, 'its register')
        t.client.remove(0, t['crowd_hot'])
        t.client.step(stop.thread)
        t.client.insert(0, t['crowd_hot'], conditions=[bytecode.equal(RDI, bytecode.always(wanted)) + bytecode.END])
    t.client.remove(0, t['crowd_hot'])
    t.books()


# ---- clients that come and go ----

@scene(fast=True)
def client_dies_in_the_middle(t):
    """A client that goes without a word while all run over its breakpoints: the guest gets every byte back, and runs on."""
    t.gather()
    code = t.client.read(t['crowd_hot'], 9)
    t.client.insert(0, t['crowd_hot'], conditions=[bytecode.always(0) + bytecode.END])
    t.client.insert(1, t['crowd_store'])
    t.client.insert(2, t['crowd_watched'], 8)
    t.client.resume('c')
    t.client.nothing_comes(0.02)
    t.hang_up()
    t.connect()
    equal(t.client.read(t['crowd_hot'], 9), code, 'the code where the breakpoint was')
    equal(t.words('traps') + t.words('debugs'), [0] * (2 * t.cpus), 'the exceptions that the guest got')
    before = t.words('counter')
    t.run_until(lambda: all(new > old for new, old in zip(t.words('counter'), before)), 'everybody to go on')
    t.serve(STORE, 3)
    t.serve(INT3)
    equal(t.word('traps'), 1, "the guest's own trap")
    t.books()


@scene()
def client_dies_in_a_step(t):
    """A client that goes while a processor steps: no trap flag stays behind."""
    t.gather()
    stop = t.run_to(t['crowd_hot'])
    t.client.resume(f's:{stop.thread}')
    t.hang_up()
    t.connect()
    for thread in t.threads():
        check(not t.client.register('eflags', thread) & TF, 'a trap flag stayed behind')
    before = t.words('counter')
    t.run_until(lambda: all(new > old for new, old in zip(t.words('counter'), before)), 'everybody to go on')
    equal(t.words('debugs'), [0] * t.cpus, 'the debug exceptions that the guest got')
    t.books()


@scene(fast=True)
def detach_and_come_again(t):
    """After a detach the machine runs on as if nobody had been there, and the next client finds it so."""
    t.gather()
    before = t.words('counter')
    t.client.insert(0, t['crowd_hot'])
    t.client.run()
    check(t.client.request('D;1') in (b'OK',) or t.client.request('D') == b'OK', 'the detach')
    t.hang_up()
    t.connect()
    t.run_until(lambda: all(new > old + 3 for new, old in zip(t.words('counter'), before)), 'everybody to go on')
    equal(t.words('traps'), [0] * t.cpus, 'the traps that the guest got')
    t.books()


@scene(points=False, leaving=('--on-disconnect', 'stop'))
def machine_stands_when_its_client_is_gone(t):
    """With `--on-disconnect stop` a machine that runs as its client goes stands until the next one comes."""
    t.gather()
    t.client.resume('c')
    t.hang_up()
    t.connect()
    before = t.words('counter')
    t.hang_up()
    t.connect()
    equal(t.words('counter'), before, 'how often each went round while nobody was there')
    t.run_until(lambda: all(new > old for new, old in zip(t.words('counter'), before)), 'everybody to go on')
    t.books()


@scene(points=False, leaving=('--on-disconnect', 'kill'))
def ends_when_its_client_is_gone(t):
    """With `--on-disconnect kill` it ends, and the server with it."""
    t.gather()
    t.client.resume('c')
    t.hang_up()
    wait_until(lambda: t.connection.process.poll() is not None, 'the server to end', 30)


# ---- memory and registers ----

@scene(fast=True, points=False)
def memory_hides_our_breakpoints(t):
    """What is read is what the guest has, with breakpoints in it or not; what is written goes below them."""
    t.gather()
    code = t.client.read(t['crowd_store'], 16)
    t.client.insert(0, t['crowd_stored'])
    equal(t.client.read(t['crowd_store'], 16), code, 'the code with a breakpoint in it')
    t.client.remove(0, t['crowd_stored'])
    equal(t.client.read(t['crowd_store'], 16), code, 'the code afterwards')
    data = bytes(range(64))
    t.client.write_memory(t['crowd_watched'], data)
    equal(t.client.read(t['crowd_watched'], 64), data, 'what was written')
    try:
        t.client.read(0xffff800000000000, 8)
    except Refused:
        return
    raise Failed('memory can be read where nothing is mapped')


@scene(fast=True, points=False)
def registers_of_every_processor(t):
    """Registers are read and written on every processor: general, control, segments."""
    t.gather()
    for thread in t.threads():
        registers = {name: t.client.register(name, thread) for name in ('rip', 'rsp', 'eflags', 'cs', 'cr0', 'cr3', 'cr4', 'efer')}
        check(t['_start'] <= registers['rip'] < t['crowd_hot_calls'] + 4096, f'rip is {registers["rip"]:#x}')
        check(registers['cr0'] & 0x80000001 == 0x80000001 and registers['efer'] & 0x500 == 0x500, f'the mode is {registers}')
        old = t.client.register('r15', thread)
        t.client.set_register('r15', 0x1122334455667788, thread)
        equal(t.client.register('r15', thread), 0x1122334455667788, 'r15')
        t.client.set_register('r15', old, thread)
    before = t.words('counter')
    t.run_until(lambda: all(new > old for new, old in zip(t.words('counter'), before)), 'everybody to go on')
    t.books()


# ---- ends ----

@scene(fast=True, points=False)
def ends_when_it_is_switched_off(t):
    """A guest that switches itself off is told as an end."""
    t.gather()
    t.request(OFF)
    stop = t.client.run()
    check(stop.kind in 'WX' or stop.kind == 'T', f'it is told as {stop}')


@scene(fast=True, points=False)
def ends_in_a_triple_fault(t):
    """A processor that triple-faults is told, and where; the server lives."""
    t.gather()
    t.request(TRIPLE)
    stop = t.client.run()
    check(stop.kind in 'TWX', f'it is told as {stop}')
    if stop.kind == 'T':
        check(len(t.threads()) == t.cpus, 'the processors are gone')


@scene(points=False)
def resets_begin_from_the_beginning(t):
    """A guest that resets itself begins again, with all processors."""
    t.gather()
    t.request(RESET)
    t.client.resume('c')
    if not t.client.nothing_comes(0.1):
        t.stopped = t.client.wait_stop()
    else:
        t.stop()
    t.gather()
    t.books()


@scene(points=False, fast=True)
def guest_writes_over_the_boot_tables(t):
    """A guest may write over everything that it was started with."""
    t.gather()
    t.serve(TABLES)
    before = t.words('counter')
    t.run_until(lambda: all(new > old for new, old in zip(t.words('counter'), before)), 'everybody to go on')
    check(t.client.read(0xe0000, 8) == b'\x5a' * 8, 'the tables are still there')
    t.books()


@scene()
def breakpoint_after_the_tables_are_gone(t):
    """Breakpoints work when nothing of the beginning is left."""
    t.gather()
    t.serve(TABLES)
    t.run_to(t['crowd_hot'], count=3)
    t.books()


# ---- before there are pages ----

@scene(most=1, fast=True, guest='modes')
def from_real_mode_to_long_mode(t):
    """One layout of registers from 16 bits to 64: a client that steps through all modes is not broken by any."""
    client = t.client
    size = len(client.all_registers())
    for name, bit in [('real_loop', 0), ('protected_loop', 1), ('long_loop', 1)]:
        client.insert(1, t[name])
        stop = client.run()
        equal(client.pc(stop.thread), t[name], f'the program counter in {name}')
        client.remove(1, t[name])
        equal(len(client.all_registers()), size, f'the size of all registers in {name}')
        equal(client.register('cr0', stop.thread) & 1, bit, 'protection')
        before = client.word(t['modes_counter'])
        for _ in range(6):
            stop = client.run(f's:{stop.thread}')
        equal(client.word(t['modes_counter']) - before, 3, f'the rounds of six steps in {name}')
    equal(client.register('efer', stop.thread) & 0x400, 0x400, 'long mode')


@scene(most=1, guest='modes')
def software_breakpoint_before_paging(t):
    """A software breakpoint works without paging and stays where it is when paging begins."""
    t.client.insert(1, t['real_loop'])
    t.client.run()
    t.client.remove(1, t['real_loop'])
    t.client.insert(0, t['protected_loop'])
    t.client.insert(0, t['long_loop'])
    stop = t.client.run()
    equal(t.client.pc(stop.thread), t['protected_loop'], 'the program counter')
    t.client.remove(0, t['protected_loop'])
    stop = t.client.run()
    equal(t.client.pc(stop.thread), t['long_loop'], 'the program counter')
    t.client.remove(0, t['long_loop'])


# ---- leaks ----

@scene(most=2)
def a_hundred_stops_leave_nothing(t):
    """Many stops cost no descriptors and no memory."""
    t.gather()
    own = pathlib.Path(f'/proc/{t.connection.process.pid}/fd')
    before = len(os.listdir(own))
    for _ in range(100):
        t.client.resume('c')
        t.stop()
    equal(len(os.listdir(own)), before, 'the descriptors')
    t.books()
