"""What the server's tests share: the server as a process, the program it debugs, and waits that end.

Every wait has a deadline; when it passes, Hang says what was waited for and what the server has said so far.
"""

import os
import re
import select
import signal
import socket
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir, "conformance"))

import bytecode  # noqa: E402
import client as protocol  # noqa: E402
from client import DEADLINE, Ended, Hang, escape, unescape  # noqa: E402

BUILD = os.environ.get("TRAPLINE_BUILD", "build")
TRAPLINE = os.path.join(BUILD, "trapline")
GDBSERVER = os.path.join(BUILD, "trapline-gdbserver")
VICTIM = os.path.join(BUILD, "tests", "serve", "serve-victim")

# From the first connection on, packets that only clients of this kind send.
FEATURES = ("multiprocess+;swbreak+;hwbreak+;fork-events+;vfork-events+;exec-events+;vContSupported+;"
            "QThreadEvents+;no-resumed+;error-message+")


class Client(protocol.Client):
    """Tests close connections themselves, and a second close must not hit a descriptor that has become another's."""

    ended = False

    def close(self):
        if not self.ended:
            self.ended = True
            super().close()


def symbol(name):
    """The address of a symbol of the victim, which is linked at a fixed place."""
    for line in subprocess.run(["nm", VICTIM], check=True, capture_output=True, text=True).stdout.splitlines():
        parts = line.split()
        if parts[-1] == name:
            return int(parts[0], 16)
    raise KeyError(name)


class Lines:
    """The lines that a process writes to a pipe, waited for one pattern at a time."""

    def __init__(self, pipe, name):
        self.pipe, self.name, self.text, self.at, self.ended = pipe, name, "", 0, False
        os.set_blocking(pipe.fileno(), False)

    def read(self, timeout):
        ready, _, _ = select.select([self.pipe], [], [], max(0, timeout))
        if not ready:
            return False
        data = os.read(self.pipe.fileno(), 65536)
        if not data:
            self.ended = True
        self.text += data.decode("utf-8", "replace")
        return True

    def expect(self, pattern, timeout=None):
        """Waits for a match behind the last one."""
        deadline = time.monotonic() + (DEADLINE if timeout is None else timeout)
        while True:
            match = re.compile(pattern).search(self.text, self.at)
            if match:
                self.at = match.end()
                return match
            if self.ended or (not self.read(deadline - time.monotonic()) and time.monotonic() >= deadline):
                raise Hang(f"{self.name}: waited in vain for {pattern!r}; it said:\n{self.text}")

    def rest(self):
        """Everything to the end."""
        deadline = time.monotonic() + DEADLINE
        while not self.ended:
            if not self.read(deadline - time.monotonic()) and time.monotonic() >= deadline:
                raise Hang(f"{self.name}: did not end; it said:\n{self.text}")
        return self.text


class Process:
    """A process of the test's own, with its output. Killed, by its number, when the test is over."""

    def __init__(self, arguments, name, **more):
        self.process = subprocess.Popen(arguments, stdin=more.pop("stdin", subprocess.PIPE), stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, **more)
        self.pid = self.process.pid
        self.out = Lines(self.process.stdout, f"{name}'s output")
        self.errors = Lines(self.process.stderr, f"{name}'s messages")

    def wait(self, timeout=None):
        try:
            return self.process.wait(DEADLINE if timeout is None else timeout)
        except subprocess.TimeoutExpired:
            self.errors.read(0)
            raise Hang(f"process {self.pid} did not end; it said:\n{self.errors.text}") from None

    def end_input(self):
        self.process.stdin.close()

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout, self.process.stderr):
            if pipe is not None and not pipe.closed:
                pipe.close()


class Bench:
    """One test's processes and connections, all ended with it."""

    def __init__(self):
        self.processes, self.clients = [], []
        self.directory = tempfile.TemporaryDirectory(prefix="trapline-serve-")

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        for client in self.clients:
            client.close()
        for process in reversed(self.processes):
            process.kill()
        self.directory.cleanup()

    def start(self, arguments, name, **more):
        process = Process(arguments, name, **more)
        self.processes.append(process)
        return process

    def victim(self, *arguments):
        process = self.start([VICTIM, *arguments], "the victim")
        process.out.expect("ready")
        return process

    def serve(self, *arguments, address="127.0.0.1:0", command=None, **more):
        """A server that listens; its port is in `port`."""
        line = [command or TRAPLINE] + ([] if command else ["--serve", address]) + list(arguments)
        server = self.start(line, "the server", **more)
        match = server.errors.expect(r"Listening on (?:port (\d+)|(.*)\n)")
        server.port = int(match.group(1)) if match.group(1) else None
        return server

    def connect(self, server, begin=True, path=None):
        if path:
            stream = socket.socket(socket.AF_UNIX)
            stream.connect(path)
        else:
            stream = socket.create_connection(("127.0.0.1", server.port), DEADLINE)
            stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        descriptor = os.dup(stream.fileno())
        stream.close()
        client = Client(descriptor, descriptor, "the server")
        self.clients.append(client)
        if begin:
            client.start(features=FEATURES)
        return client


def cut(client):
    """The client dies: its end of the connection is reset, not closed in order."""
    stream = socket.socket(fileno=os.dup(client.stream_in))
    stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
    client.close()
    stream.close()


def memory(pid, address, size):
    with open(f"/proc/{pid}/mem", "rb") as file:
        file.seek(address)
        return file.read(size)


def state(pid):
    """The letter that /proc shows for a process: t for traced and stopped, R or S for running; '' when it is gone."""
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return ""


def tracer(pid):
    with open(f"/proc/{pid}/status") as file:
        for line in file:
            if line.startswith("TracerPid:"):
                return int(line.split()[1])
    return 0


def eventually(condition, what, timeout=None):
    """Asks again until it is so. For what only /proc can tell, which has nothing to wait on."""
    deadline = time.monotonic() + (DEADLINE if timeout is None else timeout)
    while not condition():
        if time.monotonic() >= deadline:
            raise Hang(f"it never came to be so: {what}")
        select.select([], [], [], 0.005)


def run(tests):
    """Runs functions named test_*, or those whose names contain a word of the command line; says how it went."""
    failed = []
    chosen = [(name, test) for name, test in sorted(tests.items())
              if name.startswith("test_") and (len(sys.argv) < 2 or any(word in name for word in sys.argv[1:]))]
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    for name, test in chosen:
        try:
            with Bench() as bench:
                test(bench)
            print(f"ok {name}", flush=True)
        except Exception as problem:  # a test's failure is a result
            failed.append(name)
            at = problem.__traceback__
            while at.tb_next is not None and "tests/serve/test_" in at.tb_next.tb_frame.f_code.co_filename:
                at = at.tb_next
            print(f"FAILED {name} (line {at.tb_lineno}): {type(problem).__name__}: {problem}", flush=True)
    print(f"{len(chosen) - len(failed)} passed, {len(failed)} failed")
    if failed:
        print(f"again: TRAPLINE_BUILD={BUILD} {sys.executable} {sys.argv[0]} {' '.join(failed)}")
    return 1 if failed or not chosen else 0


__all__ = ["BUILD", "Bench", "Client", "DEADLINE", "Ended", "FEATURES", "GDBSERVER", "Hang", "TRAPLINE", "VICTIM", "bytecode", "cut",
           "escape", "eventually", "memory", "run", "state", "symbol", "tracer", "unescape"]
