"""The corners of stepping and watching on 64-bit Arm, one scenario each: a client of our server in the guest, whose program
is guest/corners.c. run.py runs them."""

import os
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / 'tests/conformance'))
import bytecode  # noqa: E402 pylint: disable=wrong-import-position
import elf  # noqa: E402 pylint: disable=wrong-import-position
from client import Client, Refused  # noqa: E402 pylint: disable=wrong-import-position
from registry import Failed, check, equal  # noqa: E402 pylint: disable=wrong-import-position

SERVER, PROGRAM = '/bin/trapline-gdbserver-static', '/bin/corners'
SIGINT, SIGUSR1, SIGTRAP, SIGUSR2 = 2, 0x1e, 5, 0x1f  # as the protocol numbers them
TRAP = 4  # bytes of a trap instruction
NEVER = [bytecode.always(0) + bytecode.END]
CORNERS = []


def corner(function):
    """Registers a scenario: a function with one sentence that says what it shows."""
    CORNERS.append(function)
    return function


class Debugged:
    """A server that has started corners WORDS, and a client; as a context."""

    def __init__(self, agent, build, *words, server=(SERVER, '--once', '--no-startup-with-shell', '-')):
        self.agent = agent
        self.symbols = elf.symbols(build / 'tests/arm64/guest-corners')
        self.name, self.stream = agent.start(*server, PROGRAM, *words)
        self.client = Client(os.dup(self.stream.fileno()), os.dup(self.stream.fileno()), words[0])
        self.client.trap_size = TRAP

    def __enter__(self):
        self.client.start()
        self.client.describe()
        self.client.ask('?')
        return self

    def __exit__(self, kind, value, trace):
        shown = '' if kind is None else self.client.transcript()
        self.client.close()
        self.stream.close()
        _, errors = self.agent.end(self.name, 5)
        if kind is not None and issubclass(kind, AssertionError):
            raise Failed(f'{value}\n{shown}\nthe server said: {errors}') from value

    def __getitem__(self, name):
        return self.symbols[name]

    def to(self, name):
        """Runs to a place, where a breakpoint is put for so long."""
        self.client.insert(0, self[name])
        stop = self.client.run()
        self.stands(stop, name)
        self.client.remove(0, self[name])
        return stop

    def stands(self, stop, name):
        equal(stop.signal, SIGTRAP, 'the signal')
        equal(self.client.pc(stop.thread), self[name], f'the program counter, which should be {name},')

    def call(self, name, address, **registers):
        """Standing at the start of `touch`: the thread goes on at another place with an address in x0."""
        self.client.set_register('x0', address)
        for register, value in registers.items():
            self.client.set_register(register, value)
        self.client.set_register('pc', self[name])

    def ends(self, code=0, interrupted=False):
        """Runs to the end, which is as the program's own books have it; a ^C that came too late is told before it."""
        stop = self.client.run()
        if interrupted and stop.kind == 'T' and stop.signal == SIGINT:
            stop = self.client.run()
        equal((stop.kind, stop.code), ('W', code), 'the end')

    def watch_hit(self, kind, name=None):
        """Runs to a watchpoint; the address that was told."""
        stop = self.client.run()
        equal(stop.signal, SIGTRAP, 'the signal')
        told = [(key, int(value, 16)) for key, value in stop.fields if key in ('watch', 'rwatch', 'awatch')]
        check(told, f'no watchpoint is told: {stop}')
        equal(told[0][0], kind, 'the kind of watchpoint')
        if name is not None:
            self.stands(stop, name)
        return told[0][1]


# ---- Exclusive sequences ----

@corner
def step_over_an_exclusive_sequence(agent, build):
    """A step from a load-exclusive ends behind its sequence, which was carried out once, and again and again."""
    with Debugged(agent, build, 'exclusive') as t:
        failed = 0  # an interrupt of the machine's own may take a reservation, too, once in a while
        for count in range(1, 21):
            stop = t.to('exclusive_load')
            stop = t.client.step(stop.thread)
            pc = t.client.pc(stop.thread)
            check(t['exclusive_store'] + 4 <= pc <= t['exclusive_end'], f'the step led to {pc:#x}')
            while t.client.pc(stop.thread) != t['exclusive_end']:
                stop = t.client.step(stop.thread)
                failed += t.client.pc(stop.thread) == t['exclusive_load']
                check(failed < 4, 'the store failed, and would for ever')
            equal(t.client.word(t['shared']), count, 'what was added up')
        t.ends()


@corner
def range_step_over_an_exclusive_sequence(agent, build):
    """A range step over the function goes through its sequence in one round trip."""
    with Debugged(agent, build, 'exclusive') as t:
        for count in range(1, 11):
            stop = t.to('exclusive_load')
            stop = t.client.run(f'r{t["exclusive_add"]:x},{t["exclusive_end"]:x}:{stop.thread}')
            t.stands(stop, 'exclusive_end')
            equal(t.client.word(t['shared']), count, 'what was added up')
        t.ends()


@corner
def breakpoint_at_an_exclusive_sequence(agent, build):
    """A breakpoint with a false condition on the load-exclusive lets the program's rounds go on."""
    with Debugged(agent, build, 'exclusive') as t:
        t.client.insert(0, t['exclusive_load'], conditions=NEVER)
        t.ends()


@corner
def watched_exclusive_store(agent, build):
    """A watchpoint on what a sequence adds to tells of the store, which is done, and the program gets its rounds."""
    with Debugged(agent, build, 'exclusive') as t:
        t.to('exclusive_load')
        t.client.insert(2, t['shared'], 8)
        for count in range(1, 6):
            low = t.watch_hit('watch')
            check(t['shared'] <= low < t['shared'] + 8, f'told of {low:#x}')
            equal(t.client.word(t['shared']), count, 'what was stored')
        t.client.remove(2, t['shared'], 8)
        t.ends()


@corner
def watched_exclusive_store_under_a_breakpoint(agent, build):
    """The same with a trap on the load, whose condition is false: each store is told once, whatever handlers do meanwhile."""
    with Debugged(agent, build, 'crowd', '4') as t:
        t.client.order(f'QPassSignals:{SIGUSR2:x}')
        t.to('begin')
        t.client.insert(0, t['exclusive_load'], conditions=NEVER)
        t.client.insert(0, t['finish'])
        t.client.insert(2, t['beats'], 8)
        stop, told = t.client.run(), 0
        while stop.has('watch') or stop.signal == SIGUSR2:
            told += stop.has('watch')
            if told == 6:
                t.client.set_word(t['stop'], 1)
            # A signal that comes while all are being stopped is told.
            stop = t.client.run(f'C{SIGUSR2:x}:{stop.thread};c' if stop.signal == SIGUSR2 else 'c')
        t.stands(stop, 'finish')
        equal(t.client.word(t['beats']), told, 'the number of stores')


INSIDE = ('lock_busy', 'lock_mark', 'lock_store')


@corner
def breakpoints_inside_exclusive_sequences(agent, build):
    """Points with false conditions in an exclusive sequence, of software and in registers: the program gets its rounds."""
    for kind, name in ((0, 'exclusive_inside'), (0, 'exclusive_store'), (1, 'exclusive_load'), (1, 'exclusive_store')):
        with Debugged(agent, build, 'exclusive') as t:
            t.client.insert(kind, t[name], 4, conditions=NEVER)
            t.ends()


@corner
def contended_lock_with_breakpoints_inside(agent, build):
    """The same in a lock that three threads contend for, and in an or of which instructions take the machine."""
    with Debugged(agent, build, 'lock', '3', '6') as t:
        t.to('begin')
        for name in (*INSIDE, 'lock_load', 'exclusive_inside', 'bit_inside', 'bit_store'):
            t.client.insert(0, t[name], conditions=NEVER)
        t.ends()


@corner
def a_condition_inside_an_exclusive_sequence_comes_true(agent, build):
    """A point on a store-exclusive is told when its condition holds for what is about to be stored; not one is lost."""
    with Debugged(agent, build, 'exclusive') as t:
        for value in (5, 17, 60):
            # x2 has what is to be stored.
            asked = bytecode.equal(bytecode.register(2), bytecode.always(value)) + bytecode.END
            t.client.insert(0, t['exclusive_store'], conditions=[asked])
            stop = t.client.run()
            t.stands(stop, 'exclusive_store')
            equal((t.client.register('x2'), t.client.word(t['shared'])), (value, value - 1), 'what is to be stored, and what is there')
            t.client.remove(0, t['exclusive_store'])
        t.ends()


@corner
def steps_with_a_breakpoint_inside_an_exclusive_sequence(agent, build):
    """Steps from the load over a point whose condition is false end behind the store, which has stored."""
    with Debugged(agent, build, 'exclusive') as t:
        stop = t.to('exclusive_load')
        t.client.insert(0, t['exclusive_inside'], conditions=NEVER)
        for _ in range(8):
            stop = t.client.step(stop.thread)
            equal(stop.signal, SIGTRAP, 'the signal')
            if t.client.pc(stop.thread) == t['exclusive_end']:
                break
        t.stands(stop, 'exclusive_end')
        equal(t.client.word(t['shared']), 1, 'what was stored')
        t.ends()


# ---- Instructions that depend on where they stand ----

RELATIVE = ('at_adr', 'at_adrp', 'at_literal', 'at_literal_w', 'at_literal_sw', 'at_literal_d', 'at_b', 'at_bcond', 'at_bcond_not',
            'at_cbz', 'at_cbz_not', 'at_cbnz', 'at_tbz', 'at_tbnz', 'at_bl', 'at_blr', 'at_br', 'at_ret', 'relative', 'relative_end')


@corner
def relative_instructions_under_breakpoints(agent, build):
    """Each kind of PC-relative instruction does under a breakpoint what it does without: its rounds, with false conditions."""
    with Debugged(agent, build, 'relative') as t:
        for name in RELATIVE:
            t.client.insert(0, t[name], conditions=NEVER)
        t.ends()


@corner
def relative_instructions_stepped(agent, build):
    """The same ones one by one, stepped from under their breakpoints: their results are those of a run."""
    with Debugged(agent, build, 'relative') as t:
        for name in RELATIVE:
            t.client.insert(0, t[name])
        stop = t.client.run()
        for _ in range(2 * 60):
            stop = t.client.step(stop.thread)
            equal(stop.signal, SIGTRAP, 'the signal')
        for name in RELATIVE:
            t.client.remove(0, t[name])
        t.ends()


# ---- Steps that could wait for ever ----

@corner
def step_over_wfe_and_svc(agent, build):
    """Steps over sevl, wfe, yield and svc end behind them."""
    with Debugged(agent, build, 'quiet') as t:
        stop = t.to('quiet')
        for offset in range(4, t['after_svc'] - t['quiet'] + 4, 4):
            stop = t.client.step(stop.thread)
            equal((stop.signal, t.client.pc(stop.thread)), (SIGTRAP, t['quiet'] + offset), 'the signal and the place')
        equal(t.client.register('x0'), int(stop.thread.split('.')[0].lstrip('p'), 16), 'what getpid returned')


@corner
def step_over_a_trap_of_the_programs(agent, build):
    """A step over a brk of the program's own is its SIGTRAP, told at the brk; behind it the program goes on."""
    with Debugged(agent, build, 'quiet') as t:
        stop = t.to('at_brk')
        stop = t.client.step(stop.thread)
        t.stands(stop, 'at_brk')
        t.client.set_register('pc', t['after_brk'])
        t.ends()


# ---- Signals ----

@corner
def step_over_a_call_that_signals(agent, build):
    """A step over the call that sends a signal: the signal is told; with it, a step leads to its handler and back behind the call."""
    with Debugged(agent, build, 'signal') as t:
        stop = t.to('send_signal')
        for _ in range(3):
            stop = t.client.step(stop.thread)
            if stop.signal != SIGTRAP:
                break
        equal(stop.signal, SIGUSR1, 'the signal')
        equal(t.client.pc(stop.thread), t['sent'], 'the program counter')
        stop = t.client.run(f'S{SIGUSR1:x}:{stop.thread}')
        t.stands(stop, 'on_signal')
        for _ in range(100):
            stop = t.client.step(stop.thread)
            equal(stop.signal, SIGTRAP, 'the signal')
            if t.client.pc(stop.thread) == t['sent']:
                break
        t.stands(stop, 'sent')
        equal(t.client.word(t['handled']), 1, 'how often it was handled')


@corner
def step_with_a_signal_that_passes(agent, build):
    """With QPassSignals a step over the call that sends the signal ends at the handler's first instruction."""
    with Debugged(agent, build, 'signal') as t:
        t.client.order(f'QPassSignals:{SIGUSR1:x}')
        stop = t.to('send_signal')
        stop = t.client.step(stop.thread)
        stop = t.client.step(stop.thread)
        equal(stop.signal, SIGTRAP, 'the signal')
        check(t.client.pc(stop.thread) in (t['sent'], t['on_signal']), f'the step led to {t.client.pc(stop.thread):#x}')
        t.ends()


@corner
def step_over_a_handler(agent, build):
    """A range step at a signal that passes goes over its handler's run and ends where the range does."""
    with Debugged(agent, build, 'signal') as t:
        stop = t.to('send_signal')
        t.client.order(f'QPassSignals:{SIGUSR1:x}')
        t.client.insert(0, t['sent'])
        stop = t.client.run()
        t.stands(stop, 'sent')
        t.client.remove(0, t['sent'])
        equal(t.client.word(t['handled']), 1, 'how often it was handled')
        t.ends()


@corner
def restarted_read(agent, build):
    """A read that blocks, interrupted by the client and then by a handled signal, begins again and gets its byte."""
    with Debugged(agent, build, 'restart') as t:
        main = t.to('begin').thread
        t.client.order(f'QPassSignals:{SIGUSR1:x}')
        t.client.resume('c')
        t.client.nothing_comes(0.3)
        t.client.interrupt()
        t.client.wait_stop()
        check(t.client.pc(main) in (t['at_read'], t['after_read']), f'it blocks at {t.client.pc(main):#x}')
        t.client.insert(0, t['on_signal'])
        stop = t.client.run(f'C{SIGUSR1:x}:{main}')
        t.stands(stop, 'on_signal')
        t.client.remove(0, t['on_signal'])
        for _ in range(100):
            stop = t.client.run(f's:{main}')
            if t.client.pc(main) == t['at_read']:
                break
        t.stands(stop, 'at_read')
        t.client.set_word(t['wanted'], 1)
        stop = t.client.run(f's:{main};c')
        t.stands(stop, 'after_read')
        equal(t.client.register('x0', main), 1, 'what read returned')
        t.ends()


@corner
def restarted_sleep(agent, build):
    """A sleep that ^C interrupted five times goes on for what is left of it, and lasts no shorter."""
    with Debugged(agent, build, 'sleep') as t:
        t.to('begin')
        for _ in range(5):
            t.client.resume('c')
            t.client.nothing_comes(0.02)
            t.client.interrupt()
            if t.client.wait_stop().kind != 'T':
                break
        else:
            t.ends()
            return
        raise Failed('it did not sleep until it was to be interrupted')


# ---- Watchpoints ----

def at_touch(t):
    """The middle of what is watched, with the thread at `touch`."""
    t.to('touch')
    return t['watched'] + 128


@corner
def watch_odd_sizes(agent, build):
    """Ranges of 1, 3, 5, 6 and 7 bytes at every place in a word are watched to the byte: their neighbours are not."""
    with Debugged(agent, build, 'touch') as t:
        middle = at_touch(t)
        for size in (1, 3, 5, 6, 7):
            for at in range(0, 8, 1 if size == 3 else 3):
                first, last = middle + at, middle + at + size - 1
                t.client.insert(2, first, size)
                for neighbour in (first - 1, last + 1):
                    t.call('touch', neighbour)
                    t.to('touched')
                for inside in (first, last):
                    t.call('touch', inside)
                    equal(t.watch_hit('watch', 'touched'), inside, f'what is told of {size} bytes at +{at}')
                t.client.remove(2, first, size)


@corner
def watch_below_far(agent, build):
    """A wide store that begins below what is watched tells of what is watched, and is done."""
    with Debugged(agent, build, 'touch') as t:
        middle = at_touch(t)
        t.client.insert(2, middle + 24, 8)
        for start, end, low in (('wide_store', 'wide_stored', middle), ('pair_store', 'pair_stored', middle + 16)):
            t.call(start, low)
            told = t.watch_hit('watch', end)
            check(low <= told < middle + 32, f'{start}: told of {told:#x}')
        t.call('pair_store', middle + 8)
        t.to('pair_stored')


@corner
def watch_a_zeroed_block(agent, build):
    """dc zva, which zeroes a whole block from its start on, is seen by a watchpoint in its middle."""
    with Debugged(agent, build, 'touch') as t:
        middle = at_touch(t)
        t.client.set_word(middle + 40, 0x1234)
        t.client.insert(2, middle + 40, 8)
        t.call('zero_block', middle)
        t.watch_hit('watch', 'zeroed')
        equal(t.client.word(middle + 40), 0, 'what is watched')


@corner
def watch_with_writeback(agent, build):
    """Stores that move their address before or after the access are told at the address that they accessed."""
    with Debugged(agent, build, 'touch') as t:
        middle = at_touch(t)
        t.client.insert(2, middle, 8)
        t.call('before_store', middle - 8, x1=77)
        equal(t.watch_hit('watch'), middle, 'what is told')
        equal((t.client.register('x0'), t.client.word(middle)), (middle, 77), 'the address and the value')
        t.call('after_store', middle, x1=78)
        equal(t.watch_hit('watch'), middle, 'what is told')
        equal((t.client.register('x0'), t.client.word(middle)), (middle + 8, 78), 'the address and the value')


@corner
def real_read_watchpoints(agent, build):
    """A read watchpoint tells of loads, of pairs and of atomic operations, and lets stores go."""
    with Debugged(agent, build, 'touch') as t:
        middle = at_touch(t)
        t.client.insert(3, middle + 8, 4)
        t.call('pair_store', middle)
        t.to('pair_stored')
        t.call('pair_load', middle)
        t.watch_hit('rwatch', 'pair_loaded')
        t.call('atomic_add', middle + 8)
        t.watch_hit('rwatch', 'atomic_added')


@corner
def tagged_addresses_are_watched(agent, build):
    """An access through an address with a tag in its top byte is seen."""
    with Debugged(agent, build, 'touch') as t:
        middle = at_touch(t)
        t.client.insert(2, middle, 1)
        t.call('touch', middle | 0x5a << 56)
        equal(t.watch_hit('watch', 'touched'), middle, 'what is told')


@corner
def as_many_points_as_the_machine_has(agent, build):
    """Hardware breakpoints and watchpoints are taken until the machine has no more, and all of them work at once."""
    with Debugged(agent, build, 'touch') as t:
        middle = at_touch(t)
        taken = {1: 0, 2: 0}
        for kind, base, size in ((2, middle, 8), (1, t['relative'], TRAP)):
            try:
                for n in range(17):
                    t.client.insert(kind, base + 8 * n, size)
                    taken[kind] += 1
            except Refused:
                pass
        check(2 <= taken[1] <= 16 and 2 <= taken[2] <= 16, f'taken: {taken}')
        for n in range(taken[2]):
            t.call('touch', middle + 8 * n)
            equal(t.watch_hit('watch', 'touched'), middle + 8 * n, 'what is told')
        for n in range(taken[1]):
            t.call('relative', 0)
            t.client.set_register('pc', t['relative'] + 8 * n - 4 if n else t['touch'])
            if n == 0:
                continue
            stop = t.client.run()
            equal(t.client.pc(stop.thread), t['relative'] + 8 * n, 'the place of the hardware breakpoint')
            if n == 3:
                break  # further on the code would need what comes before it


# ---- Registers ----

@corner
def vector_registers(agent, build):
    """Vectors of as many bits as the machine has are described, read and written."""
    with Debugged(agent, build, 'touch') as t:
        at_touch(t)
        name = 'z3' if 'z3' in t.client.by_name else 'v3'
        size = t.client.by_name[name].size
        value = int.from_bytes(bytes(range(1, size + 1)), 'little')
        t.client.set_register(name, value)
        t.to('touched')
        equal(t.client.register(name), value, f'{name} of {size} bytes')
        if name == 'z3':
            equal(8 * t.client.register('vg'), size, 'the vector length')


@corner
def the_program_changes_its_vector_length(agent, build):
    """Registers keep the size that the client was told; vg says how long they are now; what has no room in them stays."""
    with Debugged(agent, build, 'vectors') as t:
        t.to('begin')
        check('z3' in t.client.by_name, 'the machine has no scalable vectors')
        size = t.client.by_name['z3'].size
        for length in (size // 2, size * 2):
            t.to('counted_up')
            both = min(size, length)
            equal(8 * t.client.register('vg'), length, 'the length that is told')
            counted = bytes(range(1, length + 1))
            equal(t.client.register('z3'), int.from_bytes(counted[:both], 'little'), 'what is shown of z3')
            written = bytes([0xa5] * size)
            t.client.set_register('z3', int.from_bytes(written, 'little'))
            t.to('kept_vector')
            equal(t.client.read(t['watched'], length).hex(), (written[:both] + counted[both:]).hex(), 'what z3 holds')
        t.ends()


@corner
def programs_of_32_bits_are_refused(agent, build):
    """A 32-bit Arm program is refused in words that say so."""
    header = bytes.fromhex('7f454c4601010100' + '00' * 8 + '0200' + '2800' + '01000000' + '54000100' + '34000000' + '00000000'
                           + '00020005' + '3400' + '2000' + '0100' + '0000' * 3)
    code = bytes.fromhex('feffffea')  # b .
    program = bytes.fromhex('01000000' + '00000000' + '00000100' + '00000100' + '58000000' + '58000000' + '05000000' + '00100000')
    agent.put('/tmp/arm32', header + program + code)
    _, output, errors = agent.run(SERVER, '--once', '--no-startup-with-shell', '-', '/tmp/arm32')
    check('32' in errors + output, f'it said {errors!r} {output!r}')


# ---- All at once ----

def watch_beside(t):
    """Runs to a watchpoint. Signals that came while all stood are told before it, and delivered."""
    actions = 'c'
    for _ in range(200):
        stop = t.client.run(actions)
        if stop.has('watch'):
            return
        equal(stop.signal, SIGUSR2, 'the signal')
        actions = f'C{SIGUSR2:x}:{stop.thread};c'
    raise Failed('the watchpoint is never told')


def interrupt(t, threads):
    """^C. Before it each thread may have to tell of the one access that it made while the watchpoint was there, and of a
    signal that came while all stood, which it then gets."""
    actions = 'c'
    for _ in range(2 * threads + 1):
        t.client.resume(actions)
        t.client.interrupt()
        stop = t.client.wait_stop()
        if stop.signal == SIGINT:
            return
        check(stop.has('watch') or stop.signal == SIGUSR2, f'a stop that is neither: {stop}')
        actions = f'C{SIGUSR2:x}:{stop.thread};c' if stop.signal == SIGUSR2 else 'c'
    raise Failed('more was told than threads can have met')


def step_beside(t, name):
    """One step of a thread while the others go. Signals of threads that step are told, and those that came while all stood."""
    actions = f's:{name};c'
    for _ in range(200):
        stop = t.client.run(actions)
        if stop.signal == SIGTRAP and stop.thread == name:
            return
        kept = stop.signal == SIGINT  # the ^C before it came when another was just being told
        check(stop.has('watch') or stop.signal == SIGUSR2 or kept, f'a stop that is neither: {stop}')
        actions = f's:{name};c'
        if stop.signal == SIGUSR2:
            actions = f'S{SIGUSR2:x}:{name};c' if stop.thread == name else f'C{SIGUSR2:x}:{stop.thread};s:{name};c'
    raise Failed(f'the step of {name} is never told')


def crowd(agent, build, threads, rounds):
    """Threads in exclusive sequences and storms of signals, stepped and watched and interrupted at once."""
    with Debugged(agent, build, 'crowd', str(threads)) as t:
        t.client.order(f'QPassSignals:{SIGUSR2:x}')
        t.to('begin')
        t.client.insert(0, t['exclusive_load'], conditions=NEVER)
        steps = 0
        for _ in range(rounds):
            names = t.client.threads()
            equal(len(names), threads + 1, 'the number of threads')
            name = names[1 + steps % threads]
            for _ in range(4):
                step_beside(t, name)
                steps += 1
            t.client.remove(0, t['exclusive_load'])
            t.client.insert(2, t['beats'], 8)
            before = t.client.word(t['beats'])
            watch_beside(t)
            # Other threads may have stored meanwhile; each of them has a stop of its own.
            check(t.client.word(t['beats']) > before, 'the watched number is what it was')
            t.client.remove(2, t['beats'], 8)
            t.client.insert(0, t['exclusive_load'], conditions=NEVER)
            interrupt(t, threads)
        t.client.remove(0, t['exclusive_load'])
        t.client.set_word(t['stop'], 1)
        t.ends(interrupted=True)
        return f'{threads} threads: {steps} steps, {rounds} watchpoints, all books right'
