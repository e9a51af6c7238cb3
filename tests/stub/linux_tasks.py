#!/usr/bin/env python3
"""Sessions beside those of linux.py: the kernel's tasks that are on no processor, as threads. With --figures what they cost on the line."""

import argparse
import re
import shutil
import sys

import linux
from expects import Failed, check, expect
from linux import Packets, attach, depart
from linux_machine import Gdb, Lldb, Missing, Prompt

NAME = 'dozing'  # of a program of our own, whose second thread is NAME-too
SLEEPS = (r'__schedule', r'schedule')
READS_A_PIPE = (*SLEEPS, r'pipe_read', r'vfs_read', r'ksys_read', r'do_syscall_64')
PAUSES = (*SLEEPS, r'__x64_sys_pause|__do_sys_pause', r'do_syscall_64')
DAEMON = (*SLEEPS, r'kswapd', r'kthread', r'ret_from_fork')
NUMBERS = 1000000  # a task's thread has the number of its process id and this
PC = 0x10  # of the registers
LINE = 115200 / 10  # bytes a second
ROUNDS = 40
SWITCH = 0x1000  # __schedule is no longer


def sleeper(machine):
    """Starts it; its process id."""
    machine.ask(f'sleeper {NAME}')
    answer = machine.answer()
    check(answer.isdecimal(), f'the sleeper: {answer}')
    return int(answer)


def listed(text):
    """The threads of an `info threads` by their names, which have the process id and what it does behind them."""
    return {match[2]: int(match[1]) for match in re.finditer(r'(?m)^[* ] +(\d+) .*?"(.*?)"', text)}


def number_of(threads, pattern):
    found = [number for name, number in threads.items() if re.fullmatch(pattern, name)]
    check(len(found) == 1, f'{pattern} is found {len(found)} times in {threads}')
    return found[0]


def frames_of(said):
    """The functions of a backtrace, from the innermost."""
    return re.findall(r'(?m)^#\d+ +(?:0x\w+ in )?(\w+)', said)


def leads_through(said, functions):
    """They come in a backtrace in that order."""
    frames = frames_of(said)
    rest = iter(frames)
    for function in functions:
        check(any(re.fullmatch(function, frame) for frame in rest), f'{function} is missing, or out of order, in {frames}:\n{said}')


# ---- gdb ----

def gdb_shows_sleeping_tasks(machine):
    """Names, what each sleeps in, the registers that are known; and none of it unless it is asked for."""
    pid = sleeper(machine)
    gdb = attach(machine)
    check(len(listed(gdb.run('info threads'))) == machine.processors, 'there are tasks that nobody has asked for')
    expect(gdb.run('monitor help'), r'tasks on\|off')
    expect(gdb.run('monitor tasks on'), r'processors and, at this moment, \d+ tasks')
    said = gdb.run('info threads')
    threads = listed(said)
    expect(said, r'"CPU 0, \S+ \d+"', rf'Thread {NUMBERS + 2} "kthreadd 2, sleeps" +0x\w+ in __schedule')
    check(not [name for name in threads if re.search(r' 0, ', name) and not name.startswith('CPU')], f'idle tasks are threads: {threads}')
    expect(gdb.run('thread find kswapd'), r'Thread \d+ has target name .kswapd0 \d+, sleeps')
    for pattern, functions in ((rf'{NAME} {pid}, sleeps', READS_A_PIPE), (rf'{NAME}-too \d+, sleeps', PAUSES), (r'kswapd0 \d+, sleeps', DAEMON)):
        gdb.run(f'thread {number_of(threads, pattern)}')
        leads_through(gdb.run('backtrace'), functions)
        expect(gdb.run('info registers rip rbp rbx r15'), r'rip +0xff', r'rbp ', r'rbx ', r'r15 ')
        expect(gdb.run('info registers rax rdi eflags cs'), *[rf'{name} +<unavailable>' for name in ('rax', 'rdi', 'eflags', 'cs')])
    whole = gdb.run('thread apply all backtrace')
    check(whole.count('\nThread ') == len(threads) and whole.count('\n#0 ') == len(threads), f'{len(threads)} threads, and:\n{whole}')
    expect(gdb.run('monitor tasks off'), r'Threads are processors\.')
    check(len(listed(gdb.run('info threads'))) == machine.processors, 'tasks that are off stay')
    depart(gdb)
    machine.order('wake')


def gdb_cannot_run_one_by_itself(machine):
    """It says why, and goes on with the processors."""
    gdb = attach(machine)
    gdb.run('monitor tasks on')
    gdb.run(f"thread {number_of(listed(gdb.run('info threads')), r'kthreadd 2, sleeps')}")
    expect(gdb.run('stepi'), r'this task is on no processor: it goes on when the processors do')
    expect(gdb.run('print $rbx = 1'), r'this task is on no processor')
    expect(gdb.run('backtrace'), r'in __schedule', r'in kthreadd')
    gdb.run('break __x64_sys_getppid')
    machine.ask('calls 1')
    expect(gdb.run('continue'), r'hit Breakpoint 1, 0x\w+ in __x64_sys_getppid')
    before = gdb.run('print $pc')
    gdb.run('stepi')
    check(before != gdb.run('print $pc'), 'a processor does not step')
    gdb.run('monitor tasks off')
    depart(gdb)
    check(machine.answer() == 'ok', 'the call failed')


def gdb_finds_the_list_fresh(machine):
    """Who ended while everything ran is gone, and who came is there."""
    first = sleeper(machine)
    gdb = attach(machine)
    gdb.run('monitor tasks on')
    number = number_of(listed(gdb.run('info threads')), rf'{NAME} {first}, sleeps')
    gdb.run(f'thread {number}')
    gdb.begin('continue')
    machine.order('wake')
    second = sleeper(machine)
    gdb.interrupt()
    expect(gdb.wait(), r'SIGINT')
    threads = listed(gdb.run('info threads'))
    check(not [name for name in threads if f' {first},' in name], f'process {first} has ended: {threads}')
    gdb.run(f"thread {number_of(threads, rf'{NAME} {second}, sleeps')}")
    leads_through(gdb.run('backtrace'), READS_A_PIPE)
    expect(gdb.run(f'thread {number}'), rf'Invalid thread ID|Unknown thread|{NAME} {second}')
    gdb.run('monitor tasks off')
    depart(gdb)
    machine.order('wake')


# ---- The others ----

def the_prompt_shows_them(machine):
    pid = sleeper(machine)
    prompt = Prompt(machine)
    check(len(re.findall(r'(?m)^[* ] \d+ ', prompt.run('info threads'))) == machine.processors, 'there are tasks that nobody has asked for')
    expect(prompt.run('monitor tasks on'), r'processors and, at this moment, \d+ tasks')
    said = prompt.run('info threads')
    expect(said, r'CPU 0 ', r'kthreadd 2\b.* in __schedule')
    number = re.search(rf'(?m)^  (\d+) .*{NAME} {pid}\b', said)
    check(number, f'{NAME} {pid} is not in\n{said}')
    expect(prompt.run('thread find kswapd'), r'Thread \d+ has .*kswapd0')
    prompt.run(f'thread {number[1]}')
    leads_through(prompt.run('backtrace'), READS_A_PIPE)
    expect(prompt.run('stepi'), r'this task is on no processor')
    prompt.begin('continue')
    machine.order('wake')
    prompt.interrupt()
    expect(prompt.wait(), r'SIGINT')
    said = prompt.run('info threads')
    expect(said, r'kthreadd 2\b')
    check(not re.search(rf'{NAME} {pid}\b', said), f'process {pid} has ended:\n{said}')
    prompt.run('monitor tasks off')
    expect(prompt.run('detach'), r'detached')
    prompt.end()


def lldb_shows_them(machine):
    """Names and backtraces. They are asked for once the symbols are where the kernel is: lldb looks at each at every stop."""
    pid = sleeper(machine)
    lldb = Lldb(machine, [f'target modules load --file vmlinux --slide {machine.offset():#x}', 'process plugin packet monitor tasks on',
                          'breakpoint set -n __x64_sys_getppid', '!calls 1', 'continue', 'thread list', 'thread backtrace all',
                          'breakpoint delete -f', 'process plugin packet monitor tasks off', 'detach'])
    expect(lldb.said, r'stop reason = breakpoint 1\.1', r'Process 1 detached')
    number = re.search(rf"(?m)thread #(\d+): tid = {NUMBERS + pid:#x}\b.*name = '{NAME} {pid}, sleeps'", lldb.said)
    check(number, f'process {pid} is not in\n{lldb.said}')
    part = re.search(rf'(?ms)^. thread #{number[1]}\b(?!: tid)(.*?)(^. thread #|\Z)', lldb.said)
    check(part, f'thread {number[1]} has no backtrace in\n{lldb.said}')
    frames = re.findall(r'vmlinux`(\w+)', part[1])
    rest = iter(frames)
    for function in READS_A_PIPE:
        check(function in rest, f'{function} is missing, or out of order, in {frames}:\n{part[0]}')
    lldb.end()
    check(machine.answer() == 'ok', 'the call failed')
    machine.order('wake')


# ---- Scripted packets ----

def packets_show_them(machine):
    """A known sleeper's name and registers, and that it is neither stepped nor changed; also a session of linux.py."""
    pid = sleeper(machine)
    packets = Packets(machine)
    client, thread = packets.client, f'{NUMBERS + pid:x}'
    check(len(client.threads()) == machine.processors, 'there are tasks that nobody has asked for')
    client.ask('qRcmd,' + b'tasks on'.hex())
    check(thread in client.threads(), f'{thread} is not in the list')
    document = client.object('threads').decode()
    check(f'<thread id="{thread}" name="{NAME} {pid}, sleeps"/>' in document and f' name="{NAME}-too ' in document, document)
    client.select(thread)
    place = int.from_bytes(bytes.fromhex(client.ask(f'p{PC:x}').decode()), 'little')
    check(0 < place - packets.at('__schedule') < SWITCH, f'the sleeper is at {place:#x}')
    check(client.ask('p0') == b'x' * 16, 'rax is known')
    for packet in (f'vCont;s:{thread};c', f'vCont;c:{thread}', 'P3=0000000000000000'):
        check(client.request(packet).startswith(b'E.this task is on no processor'), packet)
    client.ask('qRcmd,' + b'tasks off'.hex())
    check(client.request(f'T{thread}').startswith(b'E'), 'it is there still')
    packets.leave()
    machine.order('wake')


def lists_under_load_are_whole(machine):
    """Stopped at any moment of forks and exits: no walk ends before its end, or faults; every task has a name and stands somewhere."""
    machine.order(f'load {machine.processors}')
    packets = Packets(machine)
    client = packets.client
    client.ask('qRcmd,' + b'tasks on'.hex())
    switch, birth = packets.at('__schedule'), packets.at('ret_from_fork')
    least = len(client.threads()) - 3 * machine.processors
    for _ in range(ROUNDS):
        client.resume()
        client.interrupt()
        client.wait_stop()
        ids = client.threads()
        check(len(set(ids)) == len(ids) >= least, f'{len(set(ids))} of {len(ids)} threads, at least {least} of them expected')
        document = client.object('threads').decode()
        check(document.count('<thread ') == len(ids) == document.count('name="'), f'{len(ids)} threads, and\n{document}')
        for thread in ids[machine.processors:]:
            client.select(thread)
            place = int.from_bytes(bytes.fromhex(client.ask(f'p{PC:x}').decode()), 'little')
            check(0 < place - switch < SWITCH or place == birth, f'{thread} is at {place:#x}')
    client.ask('qRcmd,' + b'tasks off'.hex())
    packets.leave()
    machine.order('unload')


def the_module_may_begin_with_them(machine):
    """tasks=1."""
    machine.order('rmmod')
    machine.order(machine.insert + ' tasks=1')
    packets = Packets(machine)
    threads = packets.client.threads()
    check(f'{NUMBERS + 2:x}' in threads, f'kthreadd is no thread: {threads}')
    packets.leave()
    machine.order('rmmod')
    machine.order(machine.insert)
    packets = Packets(machine)
    check(len(packets.client.threads()) == machine.processors, 'there are tasks')
    packets.leave()


SESSIONS = [packets_show_them, gdb_shows_sleeping_tasks, gdb_cannot_run_one_by_itself, gdb_finds_the_list_fresh, the_prompt_shows_them, lldb_shows_them,
            lists_under_load_are_whole, the_module_may_begin_with_them]


# ---- Figures ----

class Counting:
    """A debugger of which is counted what goes over the line, both ways."""

    bytes = 0

    def relay(self, source, to):
        class Counted:
            """The other end, with a count."""

            @staticmethod
            def sendall(data):
                self.bytes += len(data)
                to.sendall(data)

        super().relay(source, Counted)

    def tell(self, command):
        before = self.bytes
        self.run(command)
        print(f'  {command:28} {self.bytes - before:8} bytes, {(self.bytes - before) / LINE:6.2f} s', flush=True)


class CountingGdb(Counting, Gdb):
    pass


class CountingPrompt(Counting, Prompt):
    pass


def show_figures_of(machine, kind, name):
    debugger = kind(machine)
    for state in ('off', 'on'):
        debugger.run(f'monitor tasks {state}')
        print(f'{name}, tasks {state}:', flush=True)
        debugger.tell('info threads')
        debugger.tell('info threads')
        debugger.tell('thread apply all backtrace')
        debugger.run('thread 1')
        debugger.run('hbreak __x64_sys_getppid')
        for _ in range(2):
            machine.ask('calls 1')
            debugger.tell('continue')
        debugger.tell('stepi')
        debugger.tell('stepi')
        debugger.run('delete')
        debugger.begin('continue')
        for _ in range(2):
            check(machine.answer() == 'ok', 'the calls failed')
        debugger.interrupt()
        debugger.wait()
    debugger.run('monitor tasks off')
    expect(debugger.run('detach'), r'detached')
    debugger.end()


def show_figures(machine):
    """Bytes on the line for what people do, and how long 115,200 baud take for them."""
    show_figures_of(machine, CountingGdb, 'gdb')
    show_figures_of(machine, CountingPrompt, 'the prompt')


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--build', default=str(linux.ROOT / 'build'))
    parser.add_argument('--processors', type=int, default=2)
    parser.add_argument('--figures', action='store_true', help='bytes on the line, and nothing else')
    parser.add_argument('sessions', nargs='*')
    options = parser.parse_args()
    options.insert = 'port=ttyS1'
    if shutil.which('qemu-system-x86_64') is None:
        print('qemu-system-x86_64 is not installed')
        return 77
    chosen = [session for session in SESSIONS if not options.sessions or session.__name__ in options.sessions]
    try:
        passed, failed = linux.run_all(options, [show_figures] if options.figures else chosen)
    except (Missing, Failed) as error:
        print(error)
        return 77 if isinstance(error, Missing) else 1
    print(f'{passed} passed, {failed} failed')
    return failed != 0


if __name__ == '__main__':
    sys.exit(main())
