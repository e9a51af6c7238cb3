#!/usr/bin/env python3
"""Sessions of stock gdb and of scripted packets with trapline.ko in Debian's kernel, under QEMU (tests/stub/linux_machine.py).

One machine serves all sessions: each leaves it as it found it, and the next one sees whether it did. Nothing here sleeps to wait;
every wait has a deadline.
"""

import argparse
import os
import pathlib
import re
import select
import shutil
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / 'tests/conformance'))
os.environ.setdefault('CONFORMANCE_DEADLINE', '60')  # seconds for an answer of an emulated machine
import bytecode  # pylint: disable=wrong-import-position,import-error
import elf  # pylint: disable=wrong-import-position,import-error
from client import Stop  # pylint: disable=wrong-import-position,import-error
from expects import Failed, check, expect  # pylint: disable=wrong-import-position,import-error
from linux_machine import DEADLINE, Gdb, Lldb, Machine, Missing, Prompt  # pylint: disable=wrong-import-position,import-error

VARIABLE = '/proc/sys/kernel/watchdog_thresh'
OTHERS = ('sysctl_oom_dump_tasks', 'panic_timeout', 'sysctl_panic_on_oom', 'sysctl_overcommit_ratio')
TROUBLE = re.compile(r'BUG:|Oops|WARNING:|soft lockup|hard LOCKUP|rcu.*stall|hung_task|Uhhuh|general protection|kernel NULL')


def attach(machine):
    """gdb, which has put the kernel's symbols where the kernel is."""
    offset = machine.offset()  # asked of the machine while it runs
    gdb = Gdb(machine)
    expect(gdb.run('monitor kaslr').strip(), rf'^symbol-file vmlinux -o {offset:#x}$')
    expect(gdb.run('print &linux_banner'), rf'{machine.addresses["linux_banner"] + offset:#x} <linux_banner>')
    return gdb


def depart(gdb):
    expect(gdb.run('delete') + gdb.run('detach'), r'detached')
    gdb.end()


class Packets:
    """Scripted packets, with the kernel's symbols."""

    def __init__(self, machine):
        self.machine = machine
        self.offset = machine.offset()  # asked of the machine while it runs
        self.client = machine.client()

    def at(self, name):
        return self.machine.addresses[name] + self.offset

    def leave(self):
        self.client.order('D')
        self.client.close()


# ---- Sessions of gdb ----

def gdb_sees_the_kernel(machine):
    """Processors as threads with the names of their tasks, backtraces, memory that is not there, modules; and leaving."""
    gdb = attach(machine)
    threads = gdb.run('info threads')
    for number in range(2):
        expect(threads, rf'"CPU {number}, \S+ \d+"')
    expect(gdb.run('monitor modules'), r'^add-symbol-file trapline\.ko 0xffffffffc')
    expect(gdb.run('x/s &linux_banner'), r'Linux version 6\.')
    expect(gdb.run('x/4x 0xffff000000000000'), r'Cannot access memory')
    expect(gdb.run('x/4x 0'), r'Cannot access memory')
    expect(gdb.run('print *(int *)&panic_timeout = 77') + gdb.run('print *(int *)&panic_timeout'), r'= 77', r'= 77')
    gdb.run('print *(int *)&panic_timeout = -1')
    expect(gdb.run('print $cs'), r'= (16|51)')
    gdb.run('break do_proc_dointvec_minmax_conv')
    machine.ask(f'write {VARIABLE} 11')
    expect(gdb.run('continue'), r'hit Breakpoint 1, 0x\w+ in do_proc_dointvec_minmax_conv')
    expect(gdb.run('backtrace'), r'__do_proc_dointvec', r'proc_watchdog_thresh', r'vfs_write', r'do_syscall_64')
    expect(gdb.run('finish'), r'in __do_proc_dointvec')
    depart(gdb)
    check(machine.answer() == 'ok', 'the write failed')
    machine.order(f'write {VARIABLE} 10')


def gdb_watches_a_sysctl(machine):
    """The scenario that KGDB cannot do, on each processor: which watchpoint, the old and the new value, through which code."""
    machine.order(f'write {VARIABLE} 10')
    for cpu in range(machine.processors):
        machine.order(f'cpu {cpu}')
        gdb = attach(machine)
        expect(gdb.run('watch *(int *)&watchdog_thresh'), r'Hardware watchpoint 1')
        machine.ask(f'write {VARIABLE} 24')
        expect(gdb.run('continue'), rf'"CPU {cpu}, init 1" hit Hardware watchpoint 1', r'Old value = 10\s', r'New value = 24\s')
        expect(gdb.run('backtrace'), r'do_proc_dointvec', r'proc_watchdog_thresh', r'proc_sys_call_handler', r'do_syscall_64')
        gdb.begin('continue')
        check(machine.answer() == 'ok', 'the write failed')
        # The same value once more: the kernel writes it, and gdb, which is told, sees that nothing has changed.
        machine.order(f'write {VARIABLE} 24')
        gdb.interrupt()
        expect(gdb.wait(), r'SIGINT')
        gdb.run('delete')
        expect(gdb.run('rwatch *(int *)&watchdog_thresh'), r'Hardware read watchpoint 2')
        machine.ask(f'read {VARIABLE}')
        expect(gdb.run('continue'), rf'"CPU {cpu}, init 1" hit Hardware read watchpoint 2', r'Value = 24')
        gdb.run('delete')
        machine.ask(f'write {VARIABLE} 10')
        expect(gdb.run('awatch *(int *)&watchdog_thresh') + gdb.run('continue'), r'hit Hardware access \(read/write\) watchpoint 3')
        depart(gdb)
        check(machine.answer() == 'ok' and machine.answer() == 'ok', 'a file could not be moved')


def gdb_arms_four_and_no_fifth(machine):
    """Four watchpoints at once; the fifth is refused."""
    gdb = attach(machine)
    for name in ('watchdog_thresh', 'panic_timeout', 'sysctl_panic_on_oom', 'sysctl_oom_dump_tasks'):
        gdb.run(f'watch *(int *)&{name}')
    machine.ask('write /proc/sys/vm/oom_dump_tasks 0')
    expect(gdb.run('continue'), r'hit Hardware watchpoint 4', r'Old value = 1', r'New value = 0')
    gdb.run('watch *(int *)&sysctl_overcommit_ratio')
    expect(gdb.run('continue'), r'Could not insert hardware watchpoint \d', r'too many hardware')
    gdb.run('delete 5')
    gdb.begin('continue')
    check(machine.answer() == 'ok', 'the write failed')
    machine.ask(f'write {VARIABLE} 12')
    expect(gdb.wait(), r'hit Hardware watchpoint 1', r'New value = 12')
    depart(gdb)
    check(machine.answer() == 'ok', 'the write failed')
    machine.order('write /proc/sys/vm/oom_dump_tasks 1')
    machine.order(f'write {VARIABLE} 10')


def gdb_shows_what_the_kernel_logs(machine):
    """A line of the kernel's log, while it runs, at the debugger."""
    gdb = attach(machine)
    machine.ask('write /dev/kmsg <3>said to whoever listens')
    gdb.begin('continue')
    check(machine.answer() == 'ok', 'the write failed')
    gdb.interrupt()
    expect(gdb.wait(), r'said to whoever listens', r'SIGINT')
    depart(gdb)


# ---- Sessions at Trapline's own prompt ----

def whole(backtrace, *patterns):
    """It has these, and ends where there is nothing more."""
    expect(backtrace, *patterns)
    check('Backtrace stopped' not in backtrace, backtrace)


def prompt_watches_a_sysctl(machine):
    """What is said of gdb above, at the prompt, which finds the moved kernel by itself; a breakpoint, steps, and leaving."""
    machine.order(f'write {VARIABLE} 10')
    machine.order('cpu 1')
    offset = machine.offset()  # asked of the machine while it runs
    prompt = Prompt(machine)
    expect(prompt.said, rf'vmlinux runs {offset:#x} from where it was linked', r'^0xffffffff\w+ in ')
    threads = prompt.run('info threads')  # whoever stood first is the first
    for number in range(2):
        expect(threads, rf'CPU {number} +"\S+ \d+"')
    expect(prompt.run('watch *(int *)&watchdog_thresh'), r'Hardware watchpoint 1')
    machine.ask(f'write {VARIABLE} 24')
    expect(prompt.run('continue'), r'"CPU 1, init 1" hit Hardware watchpoint 1', r'Old value = 10\s', r'New value = 24\s',
           r'in do_proc_dointvec_minmax_conv')
    whole(prompt.run('backtrace'), r'do_proc_dointvec', r'proc_watchdog_thresh', r'proc_sys_call_handler', r'do_syscall_64',
          r'entry_SYSCALL_64_after_hwframe', r'0x0000\w+ in \?\?')
    prompt.begin('continue')
    check(machine.answer() == 'ok', 'the write failed')
    machine.order(f'write {VARIABLE} 24')  # the same value once more
    prompt.interrupt()
    expect(prompt.wait(), r'SIGINT')
    prompt.run('delete')
    prompt.run('break do_proc_dointvec_minmax_conv')
    machine.ask(f'write {VARIABLE} 10')
    expect(prompt.run('continue'), r'hit Breakpoint 2, 0x\w+ in do_proc_dointvec_minmax_conv')
    expect(prompt.run('stepi') + prompt.run('info symbol $pc'), r'do_proc_dointvec_minmax_conv \+ [1-9]')
    expect(prompt.run('finish'), r'Run till exit', r'in __do_proc_dointvec')
    expect(prompt.run('nexti') + prompt.run('x/i $pc'), r'=> 0x\w+ <__do_proc_dointvec\+\d+>:')
    prompt.run('delete')
    expect(prompt.run('next'), r'in proc_dointvec_minmax')
    prompt.run('tbreak update_process_times')
    prompt.run('continue')
    # Through the interrupt, from its stack to the one that it came in on.
    whole(prompt.run('backtrace'), r'update_process_times', r'hrtimer_interrupt', r' asm_sysvec_apic_timer_interrupt \(\)\s+#\d+ ')
    expect(prompt.run('detach'), r'detached')
    prompt.end()
    check(machine.answer() == 'ok', 'the write failed')


def lldb_watches_a_sysctl(machine):
    """A breakpoint, a step, out of the function, a watchpoint, memory; and leaving. it finds the moved kernel by itself."""
    machine.order(f'write {VARIABLE} 10')
    offset = machine.offset()  # asked of the machine while it runs
    lldb = Lldb(machine, [
        'process plugin packet monitor kaslr', 'thread list', 'memory read -c 16 $rsp',
        'breakpoint set -n do_proc_dointvec_minmax_conv', f'!write {VARIABLE} 24', 'continue', 'bt', 'stepi', 'finish', 'breakpoint delete -f',
        'watchpoint set expression -w write -s 4 -- (unsigned long)&watchdog_thresh', f'!write {VARIABLE} 10', 'continue', 'bt',
        'watchpoint delete -f', 'detach'])
    said = f'target modules load --file vmlinux --slide {offset:#x}\n'.encode().hex()
    expect(lldb.said, said, r'thread #2: tid = 0x000[12]', r'^0xff\w+: (\w\w ){16}',
           r'stop reason = breakpoint 1\.1', r'frame #0: \w+ vmlinux`do_proc_dointvec_minmax_conv', r'frame #\d: \w+ vmlinux`proc_watchdog_thresh',
           r'frame #\d: \w+ vmlinux`do_syscall_64', r'instruction step into', r'do_proc_dointvec_minmax_conv \+ [1-9]', r'stop reason = step out',
           r'vmlinux`__do_proc_dointvec', r'Watchpoint 1 hit', r'stop reason = watchpoint 1', r'vmlinux`do_proc_dointvec_minmax_conv \+ \d',
           r'vmlinux`vfs_write', r'Process 1 detached')
    lldb.end()
    check(machine.answer() == 'ok' and machine.answer() == 'ok', 'a write failed')


# ---- Scripted packets ----

def steps_stay_in_the_code(machine):
    """1,000 steps through a busy function, timers firing: none leads into a handler."""
    machine.order(f'load {machine.processors}')
    packets = Packets(machine)
    client, start = packets.client, packets.at('do_sys_openat2')
    inside = (packets.at('asm_sysvec_apic_timer_interrupt'), packets.at('asm_common_interrupt'))
    client.insert(0, start)
    stop = client.run()
    client.remove(0, start)
    for _ in range(1000):
        stopped = client.step(stop.thread)
        place = int.from_bytes(stopped.registers[0x10], 'little')
        check(not any(entry <= place < entry + 64 for entry in inside), f'a step ends in a handler, at {place:#x}')
        check(stopped.thread == stop.thread, f'{stopped} is another processor\'s')
    packets.leave()
    machine.order('unload')


def all_meet_one_breakpoint(machine):
    """Every processor hits it; each is told, and when it is gone nothing stray comes."""
    machine.order(f'load {machine.processors}')
    packets = Packets(machine)
    client, start = packets.client, packets.at('__x64_sys_getppid')
    client.insert(0, start)
    told = set()
    for _ in range(200):
        stop = client.run()
        check(stop.has('swbreak'), f'{stop} is no breakpoint')
        told.add(stop.thread)
        if len(told) == machine.processors:
            break
        client.remove(0, start)
        client.step(stop.thread)
        client.insert(0, start)
    check(len(told) == machine.processors, f'only {told} came')
    client.remove(0, start)
    client.resume()
    client.write(b'\x03')
    stop = client.wait_stop()
    check(stop.signal == 2, f'{stop} came, and not the interrupt')
    packets.leave()
    machine.order('unload')


def hits_at_once_are_all_told(machine, each=300):
    """Every processor writes what is watched, and is asked to stop while it is in the exception of its own hit: none is lost."""
    packets = Packets(machine)
    client, address = packets.client, packets.at('panic_timeout')
    client.insert(2, address, 4)
    machine.ask(f'writers {machine.processors} {each} /proc/sys/kernel/panic -1')
    told = dict.fromkeys(range(1, machine.processors + 1), 0)
    while sum(told.values()) < machine.processors * each:
        stop = client.run()
        check(stop.has('watch'), f'{stop} is no hit; so far {told}')
        told[int(str(stop.thread).rpartition('.')[2], 16)] += 1
    check(set(told.values()) == {each}, f'{told}')
    client.remove(2, address, 4)
    packets.leave()
    check(machine.answer() == 'ok', 'the writes failed')


def false_conditions_stay_in_ring_0(machine, hits=3000):
    """A condition that is never true, under load: the kernel goes on, nothing is told, nobody complains, and every processor is there."""
    machine.order(f'stress {machine.processors}')
    packets = Packets(machine)
    client, start = packets.client, packets.at('__x64_sys_getppid')
    client.insert(0, start, conditions=[bytecode.always(0) + bytecode.END])
    client.resume()
    began = time.monotonic()
    machine.ask(f'calls {hits}')
    # What the kernel logs is to be taken: a line that takes nothing for long is taken for gone.
    while machine.console not in (ready := select.select([machine.console, machine.line], [], [], DEADLINE)[0]):
        check(ready, 'nothing is said')
        client.nothing_comes(0.05)
    check(machine.answer() == 'ok', 'the calls failed')
    print(f'  {hits} hits and those of the load in {time.monotonic() - began:.1f} s')
    client.write(b'\x03')
    stop = client.wait_stop()
    check(stop.signal == 2, f'{stop} came, and not the interrupt')
    check(len(client.threads()) == machine.processors, f'only {client.threads()} came')
    client.remove(0, start)
    packets.leave()
    machine.order('unload')
    for cpu in range(machine.processors):
        machine.order(f'cpu {cpu}')
        machine.order('calls 10')


def places_that_take_none_are_refused(machine):
    """Entry code, and what the kernel itself runs through when it is hit."""
    packets = Packets(machine)
    for name in ('entry_SYSCALL_64', 'asm_exc_int3', 'exc_int3', 'exc_nmi', 'kprobe_int3_handler'):
        answer = packets.client.request(f'Z0,{packets.at(name):x},1')
        check(re.match(rb'E\.this is the kernel|E\.the kernel runs', answer), f'Z0 at {name}: {answer}')
    check(packets.client.request('Z0,401000,1').startswith(b'E'), 'Z0 in a program is taken')
    packets.leave()


OWN_WAY = ('touch_softlockup_watchdog', '__rcu_read_lock', '__rcu_read_unlock', 'sched_clock', 'copy_from_kernel_nofault', 'memset',
           'irq_work_queue', 'lookup_address')


def the_stubs_own_way_takes_none(machine):
    """What the stub runs through before its notifiers and as it leaves."""
    packets = Packets(machine)
    for name in OWN_WAY:
        for kind, place in ((0, packets.at(name)), (0, packets.at(name) + 1), (1, packets.at(name))):
            answer = packets.client.request(f'Z{kind},{place:x},1')
            check(answer.startswith(b"E.the debugger itself needs"), f'Z{kind} at {name}: {answer}')
    packets.leave()


def points_come_and_go(machine, times=100):
    """A point that every processor runs through is put in and taken out again and again, with an interrupt in between."""
    machine.order(f'load {machine.processors}')
    packets = Packets(machine)
    client, start = packets.client, packets.at('__x64_sys_getppid')
    for _ in range(times):
        client.insert(0, start, conditions=[bytecode.always(0) + bytecode.END])
        client.resume()
        client.interrupt()
        stop = client.wait_stop()
        check(stop.signal == 2, f'{stop} came, and not the interrupt')
        client.remove(0, start)
    packets.leave()
    machine.order('unload')


def points_are_set_while_it_runs(machine):
    """Without an end of everything's running (non-stop): a breakpoint and a watchpoint stop the one that meets them, and the other runs on."""
    machine.order('cpu 1')
    packets = Packets(machine)
    client, start, watched = packets.client, packets.at('__x64_sys_getppid'), packets.at('watchdog_thresh')
    client.set_non_stop()
    client.ask('?')
    while client.request('vStopped') != b'OK':
        continue
    client.order('vCont;c')
    machine.order('calls 3')
    client.insert(0, start)
    machine.ask('calls 3')
    for left in range(2, -1, -1):
        stops = client.stops()
        check(len(stops) == 1 and stops[0].has('swbreak') and client.pc(stops[0].thread) == start, f'{stops} is not one hit')
        if left == 0:
            client.remove(0, start)
        client.order(f'vCont;c:{stops[0].thread}')
    check(machine.answer() == 'ok', 'the calls failed')
    client.insert(2, watched, 4)
    machine.ask(f'write {VARIABLE} 12')
    stops = client.stops()
    check(len(stops) == 1 and int(stops[0].value('watch'), 16) == watched, f'{stops} is not one hit')
    client.remove(2, watched, 4)
    client.order(f'vCont;c:{stops[0].thread}')
    check(machine.answer() == 'ok', 'the write failed')
    machine.order(f'write {VARIABLE} 10')
    client.order('vCont;t')
    told = 0
    while told < machine.processors:
        told += len(client.stops())
    packets.leave()
    after = Packets(machine)  # to whom it is nothing that the one before let processors run one by one
    after.client.resume()
    after.client.interrupt()
    stop = after.client.wait_stop()
    check(stop.signal == 2, f'{stop} came, and not the interrupt')
    after.leave()


def every_processor_goes_where_it_is_sent(machine):
    """A processor that an NMI has brought in steps as any other, and goes on with the registers that the debugger has set."""
    machine.order(f'load {machine.processors}')
    packets = Packets(machine)
    client, text = packets.client, packets.at('_text')
    nothing = next(at for at in range(text, text + (1 << 20), 0x700) if b'\x90' in client.read(at, 0x700))
    nothing += client.read(nothing, 0x700).index(b'\x90')
    for _ in range(3):
        client.resume()
        client.interrupt()
        client.wait_stop()
        for thread in client.threads():
            before = client.pc(thread)
            client.set_register('rip', nothing, thread)
            stop = client.step(thread)
            check(stop.thread == thread and client.pc(thread) == nothing + 1, f'{stop}: {thread} is at {client.pc(thread):#x}, not {nothing + 1:#x}')
            client.set_register('rip', before, thread)
            for _ in range(10):
                stop = client.step(thread)
                check(stop.thread == thread and stop.signal == 5, f'{stop} is not the end of a step of {thread}')
    packets.leave()
    machine.order('unload')


def the_stub_is_not_debugged_with_itself(machine):
    """A trap in the module's own code would be met by what handles it, again and again; a processor that waits would take it out
    while another writes."""
    where = machine.symbol('tl_stub_poll')
    packets = Packets(machine)
    for kind in (0, 1):
        answer = packets.client.request(f'Z{kind},{where:x},1')
        check(answer.startswith(b'E.this is the debugger'), f'Z{kind} in the module: {answer}')
    packets.leave()


def debug_registers_stay_off_what_handles_them(machine):
    """Where the kernel's layer takes none either: the entry area with the stacks of exceptions, and what runs before DR7 is off."""
    entry_area = 0xfffffe0000000000  # Linux Documentation/x86/x86_64/mm.rst
    offset = machine.symbol('cpu_dr7')
    packets = Packets(machine)
    kept = int.from_bytes(packets.client.read(packets.at('__per_cpu_offset') + 8, 8), 'little') + offset
    for kind, address, size in ((2, entry_area, 4), (4, entry_area + 0x1000, 8), (2, entry_area - 4, 8), (3, kept, 8),
                                (1, packets.at('exc_debug'), 1), (1, packets.at('asm_exc_nmi'), 1)):
        answer = packets.client.request(f'Z{kind},{address:x},{size}')
        check(re.match(rb'E\.(this is the kernel|the kernel)', answer), f'Z{kind},{address:x},{size}: {answer}')
    packets.client.insert(1, packets.at('__x64_sys_getppid'))
    packets.client.remove(1, packets.at('__x64_sys_getppid'))
    packets.leave()


def a_lost_debugger_leaves_nothing(machine):
    """A debugger that says no word any more, and another that comes: the first one's points are gone."""
    packets = Packets(machine)
    packets.client.insert(0, packets.at('__x64_sys_getppid'), conditions=[bytecode.always(0) + bytecode.END])
    packets.client.insert(2, packets.at('watchdog_thresh'), 4)
    packets.client.resume()
    packets.client.close()
    second = Packets(machine)
    check(Stop(second.client.ask('?')).thread is not None, 'nothing stands')
    second.client.resume()
    machine.order(f'write {VARIABLE} 13')
    second.client.write(b'\x03')
    stop = second.client.wait_stop()
    check(stop.signal == 2, f'{stop}: something of the first debugger is left')
    second.leave()
    machine.order(f'write {VARIABLE} 10')


CORPORA = ROOT / 'tests/fuzz/corpus'
# What a server that does as it is told would harm its kernel by: memory and registers changed, execution elsewhere, an end of everything.
HARMFUL = re.compile(rb'[MXGPkrR]|_M|[cs].|[CS]..;|C|S|vRun|vKill|vAttach|vCont;.*[CS]|Z|QRestore')


def feed(machine, data):
    """What is said meanwhile is nobody's, but has to be taken for the machine to go on."""
    end = time.monotonic() + DEADLINE
    data = memoryview(data)
    while data:
        check(time.monotonic() < end, 'the line takes nothing any more')
        readable, writable, _ = select.select([machine.line], [machine.line], [], 1)
        if readable:
            machine.line.recv(65536)
        if writable:
            data = data[machine.line.send(data[:256]):]


def greet(machine, after):
    """Another debugger's first packet, and its last. What came before is nobody's, even if it was not looked at yet."""
    feed(machine, b'$qSupported#37$D#44')
    answers = b''
    while not answers.endswith(b'$OK#9a'):
        try:
            answers += machine.line.recv(4096)
        except TimeoutError as error:
            raise Failed(f'after {after} there came only {answers[-300:]!r}') from error
    machine.line.sendall(b'+')


def garbage_is_survived(machine):
    """Half packets, wrong checksums, packets that are too long: then an ordinary session."""
    for garbage in (b'$m400000,4#00', b'$$$$', b'\x03\x03', b'$' + b'x' * 5000 + b'#00', b'}#]*' * 50, b'$vCont;s:9#10',
                    b'$Z0,zz#00', b'$g#67' * 3, bytes(range(256)), b'$qSupp', b'$qSupported#37' * 2):
        machine.line.sendall(garbage)
    greet(machine, 'the garbage')
    gdb_sees_the_kernel(machine)


def corpora_are_survived(machine):
    """The server's fuzz corpora: as they stand, which is garbage on a line, and each line of them as a packet; then an ordinary session."""
    packets = 0
    for path in sorted(path for corpus in ('framing', 'requests', 'serve') for path in (CORPORA / corpus).iterdir()):
        data = path.read_bytes()
        feed(machine, data)
        greet(machine, f'{path.name} as it stands')
        feed(machine, b'$qSupported#37')
        for line in data.split(b'\n'):
            if HARMFUL.match(line) is None and b'$' not in line and b'#' not in line:
                feed(machine, b'$%s#%02x' % (line, sum(line) & 0xff) if line not in (b'', b'\x03') else b'\x03')
                packets += 1
        greet(machine, f'the packets of {path.name}')
        machine.order('calls 10')
    check(packets > 100, f'only {packets} packets: where are the corpora?')
    gdb_sees_the_kernel(machine)


def the_module_goes_with_points_armed(machine, times=5):
    """rmmod under a debugger that has points in force, and insmod again; the memory and the debug registers are as before."""
    address = machine.addresses['__x64_sys_getppid'] + machine.offset()
    for _ in range(times):
        packets = Packets(machine)
        before = packets.client.ask(f'm{address:x},4')
        packets.client.insert(0, address, conditions=[bytecode.always(0) + bytecode.END])
        packets.client.insert(2, packets.at('watchdog_thresh'), 4)
        packets.client.resume()
        machine.order('rmmod')
        packets.client.close()
        machine.order('calls 10')
        machine.order(f'write {VARIABLE} 14')
        machine.order(f'write {VARIABLE} 10')
        machine.order(machine.insert)
    packets = Packets(machine)
    after = packets.client.ask(f'm{address:x},4')
    check(after == before, f'{before} became {after}')
    packets.leave()


SESSIONS = [gdb_sees_the_kernel, gdb_watches_a_sysctl, gdb_arms_four_and_no_fifth, gdb_shows_what_the_kernel_logs, prompt_watches_a_sysctl, lldb_watches_a_sysctl,
            steps_stay_in_the_code, all_meet_one_breakpoint,
            hits_at_once_are_all_told, false_conditions_stay_in_ring_0, places_that_take_none_are_refused,
            the_stubs_own_way_takes_none, points_come_and_go,
            points_are_set_while_it_runs, every_processor_goes_where_it_is_sent, the_stub_is_not_debugged_with_itself, debug_registers_stay_off_what_handles_them, a_lost_debugger_leaves_nothing, garbage_is_survived, corpora_are_survived,
            the_module_goes_with_points_armed]


def show_watchpoint(machine):
    """One watchpoint, packet by packet (docs/KERNEL_MODULE.md)."""
    packets = Packets(machine)
    client, address = packets.client, packets.at('watchdog_thresh')
    client.log.clear()
    client.insert(2, address, 4)
    machine.ask(f'write {VARIABLE} 24')
    stop = client.run()
    check(int(stop.value('watch'), 16) == address, f'{stop} is no hit of it')
    client.read(address, 4)
    client.remove(2, address, 4)
    print(client.transcript())
    packets.leave()
    check(machine.answer() == 'ok', 'the write failed')


def run_session(machine, session, *words):
    """True when it passed, and the kernel has nothing to complain of."""
    began = time.monotonic()
    try:
        session(machine, *words)
        machine.order('read /proc/uptime')
        trouble = TROUBLE.search(machine.said.partition('=ready')[2])
        check(trouble is None, f'the kernel complains:\n{machine.said}')
    except Exception as error:  # pylint: disable=broad-except
        print(f'FAILED {session.__name__}: {type(error).__name__}: {error}\n{machine.registers()}', flush=True)
        return False
    print(f'ok {session.__name__} ({time.monotonic() - began:.1f} s)', flush=True)
    return True


def start(options):
    machine = Machine(options.build, options.processors)
    machine.addresses = elf.symbols(str(machine.symbols))
    machine.insert = 'insmod ' + options.insert
    machine.order(machine.insert)
    return machine


def run_all(options, chosen, longer=()):
    """The sessions on one machine, a new one after each that failed; how many passed, and how many did not."""
    machine, passed = start(options), 0
    try:
        for session in chosen:
            done = run_session(machine, session, *([longer[session]] if session in longer else []))
            passed += done
            if not done:  # what the next one would find is anybody's guess
                machine.end()
                machine = start(options)
    finally:
        machine.end()
    return passed, len(chosen) - passed


def main():
    parser = argparse.ArgumentParser(description=__doc__.split('\n\n', maxsplit=1)[0])
    parser.add_argument('--build', default=str(ROOT / 'build'))
    parser.add_argument('--processors', type=int, default=2)
    parser.add_argument('--insert', default='port=ttyS1', help='what the module is loaded with')
    parser.add_argument('--long', action='store_true', help='100,000 hits, and fifty times in and out')
    parser.add_argument('--trace', action='store_true', help='one watchpoint, packet by packet, and nothing else')
    parser.add_argument('sessions', nargs='*')
    options = parser.parse_args()
    if shutil.which('qemu-system-x86_64') is None:
        print('qemu-system-x86_64 is not installed')
        return 77
    import linux_tasks  # pylint: disable=import-outside-toplevel,cyclic-import
    sessions = [*SESSIONS, linux_tasks.packets_show_them]
    chosen = [session for session in sessions if not options.sessions or session.__name__ in options.sessions]
    chosen = [show_watchpoint] if options.trace else chosen
    longer = {false_conditions_stay_in_ring_0: 100000, the_module_goes_with_points_armed: 50} if options.long else {}
    try:
        passed, failed = run_all(options, chosen, longer)
    except Missing as error:
        print(error)
        return 77
    print(f'{passed} passed, {failed} failed')
    return failed != 0


if __name__ == '__main__':
    sys.exit(main())
