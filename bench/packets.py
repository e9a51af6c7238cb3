"""Counts the packets that a real debugger sends for one stop: gdb or lldb, through a proxy that only looks on.

Each session runs twice, once with FEW commands and once with MANY; the difference divided by the number of additional
commands is what one costs, free of start and end.
"""

import os
import re
import select
import signal
import socket
import subprocess
import threading

FEW, MANY = 5, 25
DEADLINE = 120  # seconds for one debugger session


class Proxy(threading.Thread):
    """Between one debugger and one server; `packets` counts what the debugger sent."""

    def __init__(self, server_port):
        super().__init__(daemon=True)
        self.server_port = server_port
        self.packets = 0
        self.listener = socket.create_server(('127.0.0.1', 0))
        self.port = self.listener.getsockname()[1]

    def run(self):
        self.listener.settimeout(DEADLINE)
        try:
            client, _ = self.listener.accept()
            server = socket.create_connection(('127.0.0.1', self.server_port))
        except OSError:
            return
        for end in (client, server):
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with client, server:
            while True:
                ready, _, _ = select.select([client, server], [], [], DEADLINE)
                for end in ready:
                    try:
                        data = end.recv(1 << 16)
                        (server if end is client else client).sendall(data)
                    except OSError:
                        return
                    if not data:
                        return
                    if end is client:
                        self.packets += data.count(b'$')  # a '$' inside a packet is escaped
                if not ready:
                    return


def start_server(kind, path, program):
    """The server on `program`; (process, port)."""
    if kind == 'lldb':
        reading, writing = os.pipe()
        process = subprocess.Popen([path, 'gdbserver', '--pipe', str(writing), 'localhost:0', '--', *program],
                                   stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                   pass_fds=[writing])
        os.close(writing)
        with os.fdopen(reading, 'rb') as pipe:
            return process, int(pipe.read(16).strip(b'\0\n') or 0)
    process = subprocess.Popen([path, 'localhost:0', *program], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                               stderr=subprocess.PIPE, text=True)
    for line in process.stderr:
        found = re.search(r'Listening on port (\d+)', line)
        if found:
            return process, int(found[1])
    return process, 0


def gdb_command(gdb, fixture, port, command, times):
    steps = ['set pagination off', 'set confirm off', f'target remote localhost:{port}', 'break bench_push', 'continue']
    if command == 'next':
        steps += ['delete', 'finish']
    return [gdb, '-nx', '-q', '-batch', *[word for step in steps + [command] * times for word in ('-ex', step)],
            '-ex', 'kill', fixture]


def lldb_command(lldb, fixture, port, command, times):
    steps = [f'target create {fixture}', f'gdb-remote localhost:{port}', 'breakpoint set -n bench_push', 'continue']
    if command == 'next':
        steps += ['breakpoint delete -f', 'finish']
    steps += [command] * times + ['process kill']
    return [lldb, '-x', '-b', *[word for step in steps for word in ('-o', step)]]


def count(debugger, debugger_path, kind, server_path, fixture, command, times):
    """Packets of one whole session, or None when the session came to nothing."""
    process, port = start_server(kind, server_path, [fixture, '1000'])
    try:
        if not port:
            return None
        proxy = Proxy(port)
        proxy.start()
        make = gdb_command if debugger == 'gdb' else lldb_command
        done = subprocess.run(make(debugger_path, fixture, proxy.port, command, times), stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=DEADLINE, errors='replace')
        stops = len(re.findall(r'^Breakpoint \d+, |stop reason = breakpoint', done.stdout, re.M))
        if command == 'continue' and stops < times:
            return None
        return proxy.packets
    except (subprocess.TimeoutExpired, OSError):
        return None
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def packets_for_one(debugger, debugger_path, kind, server_path, fixture, command):
    few = count(debugger, debugger_path, kind, server_path, fixture, command, FEW)
    many = count(debugger, debugger_path, kind, server_path, fixture, command, MANY)
    if few is None or many is None:
        return None
    return (many - few) / (MANY - FEW)
