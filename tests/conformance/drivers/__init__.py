"""The drivers: how each server is started with the fixture. A new target adds a class to a file here and a line below."""

import ctypes
import importlib
import importlib.util
import os
import platform
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import threading

import elf
from client import Refused

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(HERE)))

# What scenarios of processes ask for, and no machine has, with the reason.
MACHINE_HAS_NO = {
    **dict.fromkeys(("signal_is_delivered", "signal_stops_and_is_withheld", "signal_injected_by_the_client", "passed_signals_do_not_stop",
                     "signal_kills", "step_into_a_handler"), "a machine has no signals"),
    **dict.fromkeys(("exit_code_is_told", "after_the_end"), "the fixture does not end its machine"),
    **dict.fromkeys(("blocked_call_is_interrupted", "output_reaches_somebody"), "no system calls"),
    **dict.fromkeys(("step_over_a_clone", "step_while_others_hit_breakpoints", "hardware_breakpoint_in_new_threads", "watch_in_every_thread",
                     "stale_hit_after_removal"), "processors are not made by programs"),
}


class NotAvailable(Exception):
    """This driver cannot run here, and why."""


def adopt_orphans():
    """Programs whose server ended (detached ones, the children of forks) become ours to end."""
    PR_SET_CHILD_SUBREAPER = 36
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def children():
    with open("/proc/self/task/%d/children" % os.getpid(), encoding="ascii") as file:
        return [int(word) for word in file.read().split()]


def end_orphans():
    for pid in children():
        try:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
        except (ProcessLookupError, ChildProcessError):
            pass


class PipeConnection:
    """A server that speaks on its standard input and output."""

    reopens = False     # whether open() may be called again, once the client has gone

    def __init__(self, command, name):
        adopt_orphans()
        self.name = name
        self.errors = tempfile.TemporaryFile()
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.errors,
                                        env=dict(os.environ, LC_ALL="C"), bufsize=0, start_new_session=True)
        self.complaints = None

    def open(self):
        return os.dup(self.process.stdout.fileno()), os.dup(self.process.stdin.fileno())

    def hang_up(self):
        """The client goes away without a word. Its own descriptors must be closed by now."""
        self.process.stdin.close()

    def exit_code(self, deadline=10):
        """Waits for the server to end."""
        return self.process.wait(deadline)

    def stop(self):
        """Ends the server; True when it ended by itself once its input was closed."""
        try:
            if not self.process.stdin.closed:
                self.process.stdin.close()
            self.process.stdout.close()
        except OSError:
            pass
        graceful = True
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            graceful = False
            self.process.kill()
            self.process.wait()
        end_orphans()
        self.errors.seek(0)
        self.complaints = self.errors.read().decode("latin-1")
        self.errors.close()
        return graceful


class SocketConnection:
    """
    A server that listens. It says where in a line that `announces` matches, on either of its streams: the groups are a host
    and a port, or a path. `end` tells it to end. `directory`, if there is one, goes with it.
    """

    reopens = True

    def __init__(self, command, name, announces, end, directory=None):
        adopt_orphans()
        self.name, self.announces, self.end, self.directory = name, announces, end, directory
        self.said, self.address, self.heard = bytearray(), None, threading.Event()
        self.complaints = None
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.STDOUT, env=dict(os.environ, LC_ALL="C"), bufsize=0,
                                        start_new_session=True)
        self.listener = threading.Thread(target=self._listen, daemon=True)
        self.listener.start()

    def _listen(self):
        """Takes what the server says, to its end, so that it never waits for a reader."""
        for line in self.process.stdout:
            self.said += line
            found = re.search(self.announces, line.decode("latin-1"))
            if found and self.address is None:
                self.address = found.groups()
                self.heard.set()
        self.heard.set()

    def open(self):
        if not self.heard.wait(15) or self.address is None:
            raise Refused(f"{self.name}: it does not say where it listens: {bytes(self.said)!r}")
        if len(self.address) == 1:
            stream = socket.socket(socket.AF_UNIX)
            stream.settimeout(15)
            stream.connect(self.address[0])
        else:
            stream = socket.create_connection((self.address[0], int(self.address[1])), 15)
            stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        descriptor = stream.detach()
        return descriptor, os.dup(descriptor)

    def hang_up(self):
        """The client has gone away without a word; the server, which would wait for the next one, is told to end."""
        self.end(self.process)

    def exit_code(self, deadline=10):
        return self.process.wait(deadline)

    def stop(self):
        graceful = True
        self.end(self.process)
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            graceful = False
            self.process.kill()
            self.process.wait()
        end_orphans()
        self.listener.join(5)
        self.process.stdin.close()
        self.process.stdout.close()
        if self.directory is not None:
            shutil.rmtree(self.directory, ignore_errors=True)
        self.complaints = bytes(self.said).decode("latin-1")
        return graceful


class Driver:
    name = None
    target = None       # its column in the matrix
    front_end = "serve" # and the part of it that says who asked
    kind = "process"    # or "machine": whether there are processes, forks and system calls
    rungs = ()
    machine = platform.machine()  # whose instructions the fixture has
    trap = b"\xcc"      # the machine's trap instruction, as it stands in memory
    calls = {"getpid": 39, "gettid": 186, "tgkill": 234}  # numbers of system calls that the fixture makes
    nothing = b"\x90"   # an instruction that does nothing
    first_threads = 1   # how many there are at the fixture's first instruction; the first is the one that runs it
    stack, spare = "rsp", "r15"  # the stack pointer's name, and that of a register that the fixture does not use
    # scenario -> reason: what this server is known not to do. These are not run.
    excused = {}
    # Scenarios that this server may answer with "I do not know that packet", or that do not apply to it. All others must
    # not be skipped: a packet that is forgotten would be a skip, and nobody would see it.
    may_skip = {}

    def __init__(self, build):
        self.build = build

    def fixture(self):
        path = os.path.join(self.build, "tests", "conformance", "fixture")
        if not os.path.exists(path):
            raise NotAvailable(f"{path} is not built: run ninja -C {self.build}")
        return path

    def symbols(self):
        return elf.symbols(self.fixture())

    def command(self):
        raise NotImplementedError

    def start(self):
        return PipeConnection(self.command(), self.name)

    def run_to(self, client, address):
        """Runs to an address at which the program does not stand, and returns the stop there."""
        client.insert(0, address)
        stop = client.run()
        client.remove(0, address)
        return stop

    def begin(self, client):
        """Brings what a client finds to the fixture's first instruction, where the target does not do so itself."""

    def built(self, *parts):
        path = os.path.join(self.build, *parts)
        if not os.path.exists(path):
            raise NotAvailable(f"{path} is not built: run ninja -C {self.build}")
        return path

    def installed(self, name):
        path = shutil.which(name)
        if path is None:
            raise NotAvailable(f"{name} is not installed")
        return path


MODULES = ("scripted", "process", "arm64", "corefile", "emulator", "baremetal", "gdbserver", "kvm", "module", "remote")


def all_drivers():
    """{name: class}. A machine that tests bring has but its own driver's module."""
    found = [importlib.import_module(f"drivers.{name}") for name in MODULES if importlib.util.find_spec(f"drivers.{name}")]
    return {driver.name: driver for module in found for driver in module.DRIVERS}
