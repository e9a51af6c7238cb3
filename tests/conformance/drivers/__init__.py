"""The drivers: how each server is started with the fixture. A new target adds a class to a file here and a line below."""

import ctypes
import os
import shutil
import signal
import subprocess
import tempfile

import elf

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(HERE)))


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


class Driver:
    name = None
    target = None       # its column in the matrix
    front_end = "serve" # and the part of it that says who asked
    kind = "process"    # or "machine": whether there are processes, forks and system calls
    rungs = ()
    # scenario -> reason: what this server is known not to do.
    excused = {}

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


def all_drivers():
    from drivers import gdbserver, process, scripted
    return {driver.name: driver
            for module in (scripted, process, gdbserver)
            for driver in module.DRIVERS}
