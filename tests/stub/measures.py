"""What the figures of docs/BAREMETAL.md and docs/KERNEL_MODULE.md have in common: bytes of a line and their time, steps by a stub
and by the emulator's own, and a page's table."""

import pathlib
import re
import socket
import time

from expects import Failed, check  # pylint: disable=wrong-import-position,import-error

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
BAUD, BITS = 115200, 10
MILLISECONDS = BITS / BAUD * 1000  # a byte
STEPS = 300
BEGIN, END = '<!-- figures:begin -->\n', '<!-- figures:end -->\n'


def counted(client, *payloads):
    """Bytes on the line, of the packets and their replies as they stand there: run lengths, framing and all."""
    before = client.line_bytes
    for payload in payloads:
        client.request(payload)
    return client.line_bytes - before


def asked_of_client(at, address, thread):
    """What a client sends that decides a condition over one word itself, once, and goes on."""
    return ['vCont;c', f'm{address:x},8', f'z0,{at:x},1', f'vCont;s:{thread}', f'Z0,{at:x},1']


def line_rows(cost, where, asked, step):
    """A false condition here, in instructions, and by the client, in bytes; and a step."""
    return {f'a breakpoint hit with a false condition, decided {where}': f'{cost:,.0f} instructions',
            'the same decided by the client: bytes over the line': f'{asked:,}',
            f'… and their time at {BAUD:,} baud': f'{asked * MILLISECONDS:.1f} ms',
            '… to the time of those instructions at one a nanosecond': f'{asked * MILLISECONDS * 1e6 / cost:,.0f} to 1',
            'a step: bytes over the line there and back': f'{step:,}',
            f'… a round trip at {BAUD:,} baud': f'{step * MILLISECONDS:.1f} ms'}


def timed(step):
    start = time.monotonic()
    for _ in range(STEPS):
        step()
    return time.monotonic() - start


def exchange(peer, payload):
    """A packet and its reply, each acknowledged."""
    peer.sendall(b'$%s#%02x' % (payload, sum(payload) & 255))
    reply = b''
    while not re.search(rb'#..$', reply):
        part = peer.recv(4096)
        if not part:
            raise Failed('the other stub has gone')
        reply += part
    peer.sendall(b'+')
    return reply


def emulator_steps(path, deadline):
    """How long as many steps take by the emulator's own stub, which listens at `path`."""
    with socket.socket(socket.AF_UNIX) as peer:
        peer.settimeout(deadline)
        peer.connect(path)
        exchange(peer, b'?')

        def step():
            reply = exchange(peer, b'vCont;s:1')
            check(b'$T' in reply, f'its step is answered by {reply!r}')
        return timed(step)


def table(columns):
    """A column for each name, a row for each figure."""
    names = list(columns)
    rows = [f'| | {" | ".join(names)} |', '| --- |' + ' ---: |' * len(names)]
    for what in columns[names[0]]:
        rows.append(f'| {what} | {" | ".join(columns[name][what] for name in names)} |')
    return '\n'.join(rows) + '\n'


def write(page, text):
    """Puts the table into a page of docs/."""
    path = ROOT / page
    before, rest = path.read_text(encoding='utf-8').split(BEGIN)
    path.write_text(before + BEGIN + text + END + rest.split(END)[1], encoding='utf-8')
