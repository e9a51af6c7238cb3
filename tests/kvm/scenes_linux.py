"""Debian's kernel as the guest, with two processors: debugged before it runs at its final place, in it, and in what its
processes ask of it. The kernel around us is the same file, so its table of symbols serves."""

import os
import re

import symbol_file
from session import Failed, Skip, check, equal, scene

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
        place = symbols['start_kernel'] + kernel_offset(t)
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


def machine_words(t, *more):
    path = os.path.join(t.options.guests, 'linux')
    if not os.path.exists(path):
        raise Skip('Linux as a guest is a part of its own')
    return ['kvm', '--cpus', str(t.cpus), '--memory', '256M', '--kernel', path, '--initrd', path + '.files', '--append',
            'console=ttyS0 quiet panic=-1', *more]


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
    check(new == old + 1, f'jiffies went from {old} to {new}')
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
    t.start(['/usr/bin/gdb', '-nx', '-q'])
    for line in ('confirm off', 'pagination off', 'width 0'):
        t.say(f'set {line}')
    words = ' '.join(f"'{word}'" for word in machine_words(t, '--serial', 'none'))
    t.say(f'target remote | {t.options.trapline} --serve - --once {words}')
    t.say('monitor kaslr stop')
    has(t.say('continue', 300), 'SIGTRAP')
    line = re.search(r'symbol-file .*', t.say(f'monitor kaslr {symbols_for_people()}'))[0]
    t.say(line)
    t.say('break start_kernel')
    has(t.say('continue', 300), r'Breakpoint \d+, .*start_kernel')
    in_the_kernel(t)
    t.say('kill')
