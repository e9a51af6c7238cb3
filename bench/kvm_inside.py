"""The bench of virtual machines, in the machine that tests bring, where there is a KVM: `trapline kvm` and
qemu-system-x86_64 boot the same Linux under it, and are debugged with the same packets, in turn. One line for each sample:
`sample ROW WHO VALUE`; and `silent WHO` when a packet had no answer within a minute.

kvm_inside.py linux TRAPLINE FOLDER ROUNDS|crowd TRAPLINE FOLDER ROUNDS"""

import os
import re
import socket
import subprocess
import sys
import time

import bytecode
import elf
from client import Client

LINE = 'console=ttyS0 quiet panic=-1 nokaslr -- forever'
PORT = 4321
CPUS, MEMORY = 2, 256
STOPS, STEPS, HITS = 40, 200, 60
READ_FROM, READ_SIZE = 0xffffffff81000000, 1 << 20


def machines(trapline, folder):
    """{who: the command that boots Linux and serves gdb at PORT}."""
    kernel, files = os.path.join(folder, 'linux'), os.path.join(folder, 'linux.files')
    boot = ['-kernel', kernel, '-initrd', files, '-append', LINE]
    return {'trapline': [trapline, '--serve', f':{PORT}', 'kvm', '--running', '--cpus', str(CPUS), '--memory', f'{MEMORY}M', '--serial', '-',
                         *(word.replace('-kernel', '--kernel').replace('-initrd', '--initrd').replace('-append', '--append') for word in boot)],
            'qemu': ['qemu-system-x86_64', '-accel', 'kvm', '-cpu', 'host', '-smp', str(CPUS), '-m', str(MEMORY), '-nodefaults', '-display', 'none',
                     '-serial', 'stdio', '-no-reboot', '-gdb', f'tcp:127.0.0.1:{PORT}', *boot]}


def report(row, who, value):
    print(f'sample {row} {who} {value:.9f}', flush=True)


def timed(function):
    begin = time.monotonic()
    function()
    return time.monotonic() - begin


class Line:
    """A connection to a server, with as little of a client as can be: what is measured is the server."""

    def __init__(self, port):
        for _ in range(600):
            try:
                self.socket = socket.create_connection(('127.0.0.1', port), timeout=60)
                break
            except OSError:
                time.sleep(0.05)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.rest, self.acknowledges = b'', True
        features = self.ask('qSupported:multiprocess+;swbreak+;hwbreak+;vContSupported+')
        while 'PacketSize' not in features:
            features = self.receive()  # QEMU tells first that it stopped, as nobody asked
        # A run of characters may be said shorter.
        features = re.sub(r'(.)\*(.)', lambda run: run[1] * (1 + ord(run[2]) - 29), features)
        self.packet_size = int(re.search(r'PacketSize=([0-9a-f]+)', features)[1], 16)
        if 'QStartNoAckMode+' in features and self.ask('QStartNoAckMode') == 'OK':
            self.acknowledges = False
        self.ask('?')

    def send(self, payload):
        self.socket.sendall(f'${payload}#{sum(payload.encode()) & 0xff:02x}'.encode())

    def receive(self):
        """A packet as it came: neither runs nor escapes are undone."""
        parts = [self.rest]
        while b'#' not in parts[-1][:-2]:
            if len(parts) > 1 and len(parts[-1]) < 3:
                parts[-2:] = [parts[-2] + parts[-1]]
                if b'#' in parts[-1][:-2]:
                    break
            part = self.socket.recv(1 << 20)
            if not part:
                sys.exit('the server has gone')
            parts.append(part)
        data = b''.join(parts)
        begin, stop_at = data.index(b'$') + 1, data.index(b'#', data.index(b'$'))
        self.rest = data[stop_at + 3:]
        if self.acknowledges:
            self.socket.sendall(b'+')
        return data[begin:stop_at].decode('latin-1')

    def ask(self, payload):
        self.send(payload)
        return self.receive()

    def stop(self):
        self.socket.sendall(b'\x03')
        return self.receive()

    def close(self):
        self.socket.close()


def stops(line):
    for _ in range(STOPS):
        line.send('vCont;c')
        line.stop()


def steps(line):
    thread = line.ask('qfThreadInfo')[1:].split(',')[0]
    for _ in range(STEPS):
        if not line.ask(f'vCont;s:{thread}').startswith('T05'):
            sys.exit('a step is not told as one')


def read(line):
    """All of it, in the largest pieces that the server gives by the packet that all know."""
    piece = (line.packet_size - 8) // 2 & ~7
    for at in range(READ_FROM, READ_FROM + READ_SIZE, piece):
        size = min(piece, READ_FROM + READ_SIZE - at)
        if line.ask(f'm{at:x},{size:x}').startswith('E'):
            sys.exit(f'{size} bytes at {at:#x} cannot be read')


def boot(who, command):
    """The process, when its guest's first process has spoken."""
    begin = time.monotonic()
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    said = b''
    while b'guest: up' not in said:
        part = os.read(process.stdout.fileno(), 65536)
        if not part:
            sys.exit(f'{who} came to nothing: {said[-1000:].decode(errors="replace")}')
        said += part
    report('kvm-boot', who, time.monotonic() - begin)
    return process


def take_samples(who):
    line = Line(PORT)
    report('kvm-stop', who, timed(lambda: stops(line)) / STOPS)
    report('kvm-read', who, timed(lambda: read(line)) / (READ_SIZE >> 20))
    report('kvm-step', who, timed(lambda: steps(line)) / STEPS)
    line.close()


def linux(trapline, folder, rounds):
    names = machines(trapline, folder)
    for turn in range(rounds):
        order = list(names) if turn % 2 == 0 else list(names)[::-1]
        for who in order:
            process = boot(who, names[who])
            try:
                take_samples(who)
            except TimeoutError:
                # QEMU has been seen not to come back from a step: that is a finding, and no figure.
                print(f'silent {who}', flush=True)
            finally:
                process.kill()
                process.wait()


# ---- A breakpoint whose condition is false ----


def connect(port):
    """A client with more to it, for our server."""
    stream = socket.create_connection(('127.0.0.1', port), timeout=60)
    stream.setblocking(False)
    descriptor = stream.detach()
    client = Client(descriptor, os.dup(descriptor), 'server')
    client.start()
    client.ask('?')
    return client


def stop(client):
    client.interrupt()
    return client.wait_stop('the stop after an interrupt', 60)


def ask_the_client(client, place):
    """What a client does whose server knows no conditions, for each hit: it looks, and steps over."""
    client.insert(0, place)
    thread = client.run(timeout=60).thread
    begin = time.monotonic()
    for _ in range(HITS):
        client.register('rdi', thread)
        client.remove(0, place)
        client.step(thread)
        client.insert(0, place)
        thread = client.run(timeout=60).thread
    spent = time.monotonic() - begin
    client.remove(0, place)
    client.step(thread)
    return spent / HITS


def tell_the_server(client, place, counter):
    """The same as a condition of the server's: whoever is not met by it does not stop."""
    client.insert(0, place, conditions=[bytecode.always(0) + bytecode.END])
    before = client.word(counter)
    begin = time.monotonic()
    client.resume('c')
    client.nothing_comes(0.3)
    stop(client)
    spent = time.monotonic() - begin
    client.remove(0, place)
    return spent / (client.word(counter) - before)


def crowd(trapline, folder, rounds):
    """The guest that goes round and round, with one processor."""
    guest = os.path.join(folder, 'crowd')
    symbols = elf.symbols(guest)
    command = [trapline, '--serve', ':0', 'kvm', '--cpus', '1', '--memory', '32M', '--serial', 'none', guest]
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:
        said = b''
        while not (found := re.search(rb'Listening on port (\d+) ', said)):
            said += os.read(process.stdout.fileno(), 65536)
        client = connect(int(found[1]))
        client.resume('c')
        client.nothing_comes(0.2)
        stop(client)
        for _ in range(rounds):
            report('kvm-condition', 'client', ask_the_client(client, symbols['crowd_hot']))
            report('kvm-condition', 'trapline', tell_the_server(client, symbols['crowd_hot'], symbols['crowd_hot_calls']))
        client.close()
        process.terminate()


def main():
    part, trapline, folder, rounds = sys.argv[1:]
    {'linux': linux, 'crowd': crowd}[part](trapline, folder, int(rounds))
    print('bench: all samples are taken', flush=True)


if __name__ == '__main__':
    main()
