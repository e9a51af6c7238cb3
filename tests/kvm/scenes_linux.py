"""Debian's kernel as the guest, with two processors: debugged before it runs at its final place, in it, and in what its
processes ask of it. The kernel around us is the same file, so its table of symbols serves."""

import os
import pty
import re
import socket
import subprocess
import termios
import time

import symbol_file
from client import Client
from session import Failed, Line, Skip, Stop, check, end, equal, scene

LINKED = symbol_file.LINKED
SYMBOLS = '/tmp/vmlinux'


def kernel_symbols(wanted):
    """{name: address as linked}, from this machine's own kernel."""
    found, text = {}, None
    with open('/proc/kallsyms', encoding='ascii') as lines:
        for line in lines:
            address, _, name = line.split()[:3]
            if name == '_text':
                text = int(address, 16)
            if name in wanted:
                found.setdefault(name, int(address, 16))
    if not text or set(found) != set(wanted):
        raise Skip('this kernel does not show where its symbols are')
    return {name: address - text + LINKED for name, address in found.items()}


def said(t):
    return bytes(t.connection.said).decode('latin-1')


def monitor(t, command):
    """What a monitor command answers: text of O packets before OK, or all of one."""
    t.client.expecting_stop = True
    reply = t.client.request('qRcmd,' + command.encode().hex(), timeout=30)
    t.client.expecting_stop = False
    text = bytes(t.client.output).decode('latin-1')
    t.client.output.clear()
    return text if reply == b'OK' else text + bytes.fromhex(reply.decode()).decode('latin-1')


def kernel_offset(t):
    """How far the kernel is from where it was linked, as `monitor kaslr` has it."""
    text = monitor(t, 'kaslr')
    found = re.search(r'symbol-file \S+ -o (0x[0-9a-f]+|0)', text)
    check(found, f'monitor kaslr says {text!r}')
    offset = int(found[1], 16)
    check(offset % 0x200000 == 0 and offset < 0x40000000, f'the offset is {offset:#x}')
    return offset


def run_to_there(t, address, kind, seconds):
    t.client.insert(kind, address)
    stop = t.client.run(timeout=seconds)
    check(stop.kind == 'T' and stop.signal == 5, f'running to {address:#x} ended with {stop}')
    equal(t.client.pc(stop.thread), address, 'the program counter')
    t.client.remove(kind, address)
    return stop


@scene(least=2, most=2, guest='linux', options=('--append', 'console=ttyS0 quiet panic=-1 nokaslr'))
def linux_is_stopped_where_it_begins(t):
    """A hardware breakpoint that is set before anything ran stops the kernel in start_kernel."""
    symbols = kernel_symbols({'start_kernel', '__x64_sys_getppid', 'jiffies'})
    run_to_there(t, symbols['start_kernel'], 1, 300)
    # A software breakpoint from here on: on a system call of the first process.
    stop = run_to_there(t, symbols['__x64_sys_getppid'], 0, 300)
    equal(len(t.threads()), 2, 'the number of processors')
    t.client.insert(2, symbols['jiffies'], 8)
    before = t.client.word(symbols['jiffies'])
    stop = t.client.run(timeout=60)
    check(stop.has('watch') and int(stop.value('watch'), 16) == symbols['jiffies'], f'it is told as {stop}')
    check(t.client.word(symbols['jiffies']) > before, 'jiffies did not count')
    t.client.remove(2, symbols['jiffies'], 8)
    run_to_there(t, symbols['__x64_sys_getppid'], 0, 60)


@scene(least=2, most=2, points=False, guest='linux', options=('--append', 'console=ttyS0 quiet panic=-1'))
def linux_boots_and_its_place_is_found(t):
    """With KASLR on the kernel boots to its first process with two processors, and `monitor kaslr` says where it runs."""
    symbols = kernel_symbols({'_stext', '_etext'})
    for _ in range(400):
        t.client.resume('c')
        t.client.nothing_comes(0.5)
        t.stop()
        if b'guest: up' in t.connection.said:
            break
    else:
        raise Failed('Linux does not come up')
    check('guest: up with 2 processors' in said(t), f'Linux says {said(t)[-300:]!r}')
    offset = kernel_offset(t)
    for thread in t.threads():
        at = t.client.pc(thread)
        check(at < 1 << 47 or symbols['_stext'] + offset <= at < symbols['_etext'] + offset, f'a processor is at {at:#x}')


@scene(least=2, most=2, points=False, guest='linux', options=('--append', 'console=ttyS0 quiet panic=-1 rdinit=/nothing'))
def linux_stops_where_it_arrives_after_a_reset_too(t):
    """`monitor kaslr stop` stops the kernel when it first runs at its final place, and again when it has reset the machine;
    what is planted there then is looked up as this processor sees it, not as one that has not started."""
    symbols = kernel_symbols({'start_kernel'})
    places = set()
    check('The machine stops when' in monitor(t, 'kaslr stop'), 'monitor kaslr stop does not say that it will')
    for _ in range(2):
        stop = t.client.run(timeout=300)
        check(stop.kind == 'T' and stop.signal == 5, f'the arrival is told as {stop}')
        offset = kernel_offset(t)
        place = symbols['start_kernel'] + offset
        # Where it is now, and not where it was before the reset.
        equal(t.client.ask('qOffsets').decode(), f'TextSeg={LINKED + offset:x}', 'the place of the text')
        t.client.insert(0, place)
        check(t.client.read(place, 1) != b'\xcc', 'a breakpoint is seen in memory')
        t.client.remove(0, place)
        places.add(place)
    check('The guest reset the machine.' in said(t), f'it says {said(t)[-500:]}')
    monitor(t, 'kaslr stop off')


@scene(least=2, most=2, guest='linux', options=('--append', 'console=ttyS0 quiet panic=-1'))
def linux_is_stopped_by_a_system_call(t):
    """The place that `monitor kaslr` found is the right one: a breakpoint on a system call is hit."""
    symbols = kernel_symbols({'__x64_sys_getppid'})
    linux_boots_and_its_place_is_found(t)
    offset = kernel_offset(t)
    for _ in range(3):
        stop = run_to_there(t, symbols['__x64_sys_getppid'] + offset, 0, 60)
        t.client.step(stop.thread)


# ---- Debuggers that people sit at ----


def symbols_for_people():
    """The kernel's names, in a file."""
    if not os.path.exists(SYMBOLS):
        table = symbol_file.kernel_table()
        if not table:
            raise Skip('this kernel does not show where its symbols are')
        symbol_file.write(SYMBOLS, table)
    return SYMBOLS


def machine_words(t, *more, then=''):
    path = os.path.join(t.options.guests, 'linux')
    if not os.path.exists(path):
        raise Skip('Linux as a guest is a part of its own')
    return ['kvm', '--cpus', str(t.cpus), '--memory', '256M', '--kernel', path, '--initrd', path + '.files', '--append',
            f'console=ttyS0 quiet panic=-1 -- {then}'.removesuffix(' -- '), *more]


def has(text, *patterns):
    for pattern in patterns:
        check(re.search(pattern, text), f'{pattern!r} is not in {text[-1500:]!r}')


def in_the_kernel(t):
    """From start_kernel, with breakpoints that are placed, to a system call, and by jiffies."""
    has(t.say('info threads'), r'\b1\b', r'\b2\b')
    t.say('break __x64_sys_getppid')
    has(t.say('continue', 400), r'Breakpoint \d+, .*__x64_sys_getppid')
    t.say('delete')
    t.say('watch *(unsigned long *)&jiffies')
    answer = t.say('continue', 120)
    has(answer, r'atchpoint \d+: \*\(unsigned long \*\)&jiffies')
    old, new = (int(re.search(word + r' value = (\d+)', answer)[1]) for word in ('Old', 'New'))
    # The kernel makes up for ticks that came late in one write; a stop is no time at all, however long it was.
    check(old < new < old + 10, f'jiffies went from {old} to {new}')
    has(t.say('info symbol $pc'), r'\w+ (\+ \d+ )?in section|\w+')


@scene(least=2, most=2, guest='linux', served=False)
def linux_at_our_prompt_takes_its_breakpoints_along(t):
    """Points that were set before the kernel unpacked itself are where it is then, by themselves."""
    t.start([t.options.trapline, '-nx', '-q', *machine_words(t)])
    t.say('set confirm off')
    t.say(f'symbol-file {symbols_for_people()}')
    has(t.say('break start_kernel'), 'Breakpoint 1')
    has(t.say('continue', 300), r'Breakpoint 1, .*start_kernel')
    in_the_kernel(t)
    t.say('kill')


@scene(least=2, most=2, points=False, guest='linux', served=False)
def linux_at_our_prompt_has_its_names_moved(t):
    """The same without a breakpoint, where those do not work: the names are those of the place where the kernel runs."""
    t.start([t.options.trapline, '-nx', '-q', *machine_words(t)])
    t.say('set confirm off')
    t.say(f'symbol-file {symbols_for_people()}')
    before = int(re.search(r'0x[0-9a-f]{16}', t.say('print (void *)&start_kernel'))[0], 16)
    t.say('monitor kaslr stop')
    has(t.say('continue', 300), 'SIGTRAP')
    offset = int(re.search(r'symbol-file \S+ -o 0x([0-9a-f]+)', t.say('monitor kaslr'))[1], 16)
    after = int(re.search(r'0x[0-9a-f]{16}', t.say('print (void *)&start_kernel'))[0], 16)
    equal(after - before, offset, 'the way that start_kernel went')
    t.say('kill')


@scene(least=2, most=2, guest='linux', served=False)
def linux_is_debugged_by_gdb(t):
    """Stock gdb: the stop at the kernel's arrival, and the line that `monitor kaslr` has for it."""
    if not os.path.exists('/usr/bin/gdb'):
        raise Skip('gdb is not in the machine')
    with subprocess.Popen([t.options.trapline, '--serve', ':0', '--once', *machine_words(t, '--serial', 'none')], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as server:
        try:
            port = re.search(r'port (\d+) ', Line(server.stdout.fileno()).until(')\n'))[1]
            t.start(['/usr/bin/gdb', '-nx', '-q'])
            for line in ('set confirm off', 'set pagination off', 'set width 0', f'target remote 127.0.0.1:{port}', 'monitor kaslr stop'):
                t.say(line)
            has(t.say('continue', 300), 'SIGTRAP')
            t.say(re.search(r'symbol-file .*', t.say(f'monitor kaslr {symbols_for_people()}'))[0])
            t.say('break start_kernel')
            has(t.say('continue', 300), r'Breakpoint \d+, .*start_kernel')
            in_the_kernel(t)
            t.say('kill')
        finally:
            server.terminate()


# ---- A shell, typed into ----


def use_the_shell(line):
    """Commands, an interrupt that is the guest's, and ^A."""
    line.until('guest> ', 300)
    line.type('echo $((6 * 7)) sum\n')
    line.until('\n42 sum\n')
    line.until('guest> ')
    # Before the shell has the terminal back as commands want it, ^C is a character.
    line.type('echo goes; while :; do :; done\n')
    line.until('\ngoes\n')
    line.type('\x03')
    line.until('guest> ')
    # The number of the character that is typed next.
    line.type('read w; printf %d. "\'$w"\n')
    line.until('$w"\n')


@scene(least=2, most=2, points=False, guest='linux', served=False)
def linux_has_a_shell_at_a_socket(t):
    """The serial port is a socket: a shell is typed into, by one who connects and by the next, and its end is the machine's."""
    path = '/tmp/serial'
    t.process = subprocess.Popen([t.options.trapline, '--serve', ':0', *machine_words(t, '--running', '--serial', f'unix:{path}', then='shell')],
                                 stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True)
    t.line = Line(t.process.stdout.fileno())
    t.line.until(f'The serial port is at unix:{path}.')
    with socket.socket(socket.AF_UNIX) as one:
        one.connect(path)
        line = Line(one.fileno())
        use_the_shell(line)
        line.type('A\n')
        line.until('65.')
    t.line.until('Nobody is at the serial port any more.')
    with socket.socket(socket.AF_UNIX) as other:
        other.connect(path)
        line = Line(other.fileno())
        line.type('exit\n')
        line.until('guest: done', 60)
    t.line.until('exit', 60)
    check(end(t.process), 'the server does not end with its machine')
    t.process = None


@scene(least=2, most=2, points=False, guest='linux', served=False)
def linux_has_a_shell_at_a_terminal(t):
    """The same at a terminal: ^C is the guest's, ^A ^A a ^A, and ^A x the end; the terminal is then as it was."""
    ours, its = pty.openpty()
    before = termios.tcgetattr(its)
    process = subprocess.Popen([t.options.trapline, '--serve', ':0', *machine_words(t, '--running', '--serial', '-', then='shell')], stdin=its,
                               stdout=its, stderr=its, start_new_session=True)
    try:
        line = Line(ours)
        use_the_shell(line)
        line.type('\x01\x01\n')
        line.until('1.')
        line.type('\x01h')
        line.until('^A x ends the machine')
        check(termios.tcgetattr(its) != before, 'the terminal is as it was while the machine runs')
        line.type('\x01x')
        check(end(process, 30), f'^A x does not end it: {line.text[-500:]!r}')
        equal(termios.tcgetattr(its), before, 'the terminal behind it')
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
        os.close(ours)
        os.close(its)


@scene(least=2, most=2, points=False, guest='linux', served=False)
def linux_has_a_virtio_console(t):
    """What the guest writes to its virtio console comes out where the serial port leads, and what is typed goes there."""
    words = machine_words(t, '--running', '--console', '--serial', 'unix:/tmp/console', then='console')
    t.process = subprocess.Popen([t.options.trapline, '--serve', ':0', *words], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                 stderr=subprocess.STDOUT, start_new_session=True)
    t.line = Line(t.process.stdout.fileno())
    t.line.until('The serial port is at unix:/tmp/console.')
    with socket.socket(socket.AF_UNIX) as one:
        one.connect('/tmp/console')
        line = Line(one.fileno())
        line.until('guest: at its console', 300)
        line.type('forty-two\n')
        line.until('guest: was told forty-two')
        line.until('guest: done')
    check(end(t.process, 60), 'the server does not end with its machine')
    t.process = None


@scene(least=2, most=2, points=False, guest='linux', served=False)
def linux_uses_its_disk_while_it_is_stopped_and_goes_on(t):
    """Two processors read and write a disk, and are stopped in the middle again and again: each sector is what it must be, to
    the guest and in the file."""
    sectors, disk = 8192, '/tmp/disk'
    with open(disk, 'wb') as file:
        file.writelines(number.to_bytes(8, 'little') * 64 for number in range(sectors))
    words = machine_words(t, '--running', '--serial', 'unix:/tmp/disk-serial', '--disk', f'{disk},write', then='disk')
    t.process = subprocess.Popen([t.options.trapline, '--serve', 'unix:/tmp/disk-server', *words], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                 stderr=subprocess.STDOUT, start_new_session=True)
    t.line = Line(t.process.stdout.fileno())
    t.line.until('The serial port is at unix:/tmp/disk-serial.')
    if 'Listening on' not in t.line.text:
        t.line.until('Listening on')
    with socket.socket(socket.AF_UNIX) as one, socket.socket(socket.AF_UNIX) as other:
        one.connect('/tmp/disk-serial')
        line = Line(one.fileno())
        line.until('guest: disk begins', 300)
        other.connect('/tmp/disk-server')
        client = Client(os.dup(other.fileno()), os.dup(other.fileno()), 'kvm')
        client.start()
        Stop(client.ask('?'))
        for _ in range(30):
            client.resume('c')
            client.nothing_comes(0.01)
            client.interrupt()
            client.wait_stop('the stop after an interrupt')
        client.ask('D')
        client.close()
        line.until('guest: disk good', 300)
        line.until('guest: done')
    check(end(t.process, 60), 'the server does not end with its machine')
    t.process = None
    with open(disk, 'rb') as file:
        wrong = [number for number in range(sectors) if file.read(512) != (number ^ (1 << 64) - 1).to_bytes(8, 'little') * 64]
    check(not wrong, f'sectors {wrong[:10]} of the file are not what the guest wrote')


# ---- Time ----


def clocks(t):
    return [float(number) for number in re.findall(r'guest: clock ([0-9.]+)', said(t))]


def run_to_a_clock(t, turns=200):
    """Runs until the guest has said once more what its clock shows: that."""
    before = len(clocks(t))
    for _ in range(turns):
        t.client.resume('c')
        t.client.nothing_comes(0.2)
        t.stop()
        if len(clocks(t)) > before:
            return clocks(t)[before]
    raise Failed('the guest does not say what its clock shows')


@scene(least=2, most=2, points=False, guest='linux', options=('--append', 'console=ttyS0 quiet panic=-1 -- clock'))
def linux_does_not_see_a_stop_of_minutes(t):
    """Five minutes at a stop are no time to the guest, and none of its watchdogs finds that it was stuck."""
    run_to_a_clock(t)
    before, began = run_to_a_clock(t), time.monotonic()
    time.sleep(300)
    check(time.monotonic() - began >= 300, 'this clock does not go')
    after = run_to_a_clock(t)
    check(before < after < before + 10, f'its clock went from {before} to {after}')
    for _ in range(5):
        run_to_a_clock(t)
    check(not re.search('lockup|stall|stuck|unstable|watchdog', said(t)), f'it complains: {said(t)[-1000:]}')
