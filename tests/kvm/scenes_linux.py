"""Debian's kernel as the guest, with two processors: debugged before it runs at its final place, in it, and in what its
processes ask of it. The kernel around us is the same file, so its table of symbols serves."""

import re

from session import Failed, Skip, check, equal, scene

LINKED = 0xffffffff81000000  # _text as the kernel's file has it


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
    text = monitor(t, 'kaslr')
    found = re.search(r'symbol-file \S+ -o (0x[0-9a-f]+|0)', text)
    check(found, f'monitor kaslr says {text!r}')
    offset = int(found[1], 16)
    check(offset % 0x200000 == 0 and offset < 0x40000000, f'the offset is {offset:#x}')
    for thread in t.threads():
        at = t.client.pc(thread)
        check(at < 1 << 47 or symbols['_stext'] + offset <= at < symbols['_etext'] + offset, f'a processor is at {at:#x}')


@scene(least=2, most=2, guest='linux', options=('--append', 'console=ttyS0 quiet panic=-1'))
def linux_is_stopped_by_a_system_call(t):
    """The place that `monitor kaslr` found is the right one: a breakpoint on a system call is hit."""
    symbols = kernel_symbols({'__x64_sys_getppid'})
    linux_boots_and_its_place_is_found(t)
    offset = int(re.search(r'-o (0x[0-9a-f]+|0)', monitor(t, 'kaslr'))[1], 16)
    for _ in range(3):
        stop = run_to_there(t, symbols['__x64_sys_getppid'] + offset, 0, 60)
        t.client.step(stop.thread)
