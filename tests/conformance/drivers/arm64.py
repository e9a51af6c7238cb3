"""A Linux process on 64-bit Arm: trapline-gdbserver in the machine of tests/arm64, and the client here."""

import atexit
import os
import pathlib
import re
import socket
import sys
import threading

from client import Refused
from drivers import ROOT, Driver, NotAvailable
from drivers.gdbserver import Gdbserver as Referee
from registry import RUNGS

sys.path.insert(0, os.path.join(ROOT, "tests", "arm64"))
import arm64_machine  # noqa: E402 pylint: disable=wrong-import-position

SERVER, FIXTURE, GDBSERVER = "trapline-gdbserver-static", "fixture", "gdbserver"


class GuestPipe:
    """A server in the guest that speaks on its standard input and output."""

    reopens = False

    def __init__(self, agent, command, name, errors=False):
        self.agent, self.name = agent, name
        self.program, self.stream = agent.start(*command, errors=errors)
        self.ended, self.complaints = None, None

    def open(self):
        descriptor = os.dup(self.stream.fileno())
        return descriptor, os.dup(descriptor)

    def hang_up(self):
        """The client goes away without a word. Its own descriptors must be closed by now."""
        self.stream.close()

    def exit_code(self, deadline=10):
        """Waits for the server to end."""
        if self.ended is None:
            self.ended = self.agent.end(self.program, deadline)
        return self.ended[0]

    def stop(self):
        """Ends the server; True when it ended by itself once its input was closed."""
        self.stream.close()
        graceful = self.exit_code(5) != -1
        self.complaints = self.ended[1]
        return graceful


class GuestListener(GuestPipe):
    """One that listens in the guest, and says where."""

    reopens = True

    def __init__(self, agent, command, name):
        super().__init__(agent, command, name, errors=True)
        self.said, self.port, self.heard, self.last = bytearray(), None, threading.Event(), None
        self.listener = threading.Thread(target=self._listen, daemon=True)
        self.listener.start()

    def _listen(self):
        while True:
            try:
                part = self.stream.recv(65536)
            except OSError:
                part = b""
            self.said += part
            found = re.search(rb"Listening on port (\d+)", bytes(self.said))
            if found or not part:
                self.port = int(found[1]) if found else None
                self.heard.set()
            if not part:
                return

    def open(self):
        if not self.heard.wait(30) or self.port is None:
            raise Refused(f"{self.name}: it does not say where it listens: {bytes(self.said)!r}")
        self.wait_for_end_of_last()
        self.last = self.agent.ask(f"connect {self.port}")
        descriptor = os.dup(self.last.fileno())
        return descriptor, os.dup(descriptor)

    def wait_for_end_of_last(self):
        """On its way through the machine's network and the agent the end of a connection is overtaken by the next one's beginning,
        which the server would then turn away."""
        if self.last is None:
            return
        with self.last as stream:
            try:
                stream.settimeout(30)
                stream.shutdown(socket.SHUT_WR)
                while stream.recv(65536):
                    pass
            except ConnectionError:
                pass  # that is an end, too

    def hang_up(self):
        """The server would wait for the next client: stop() ends it."""

    def stop(self):
        """It listens until it is ended: nothing is to be read from that."""
        self.ended = self.agent.end(self.program, 0)
        self.complaints = bytes(self.said).decode("latin-1")
        self.stream.close()
        if self.last is not None:
            self.last.close()
        return True


class Arm64(Driver):
    name = "process-arm64"
    target = "process, arm64"
    machine = "aarch64"
    rungs = tuple(rung for rung in RUNGS if rung != "reverse")
    trap = b"\x00\x00\x20\xd4"
    calls = {"getpid": 172, "gettid": 178, "tgkill": 131}
    nothing = b"\x1f\x20\x03\xd5"
    stack, spare = "sp", "x15"
    may_skip = {name: "a pipe cannot be opened twice" for name in ("reconnect_resets_state", "reconnect_while_it_runs")}
    agent = None

    def folder(self):
        """The build folder for arm64: ours of `make arm64`, or the one that belongs to this build."""
        found = os.environ.get("ARM64_BUILD") or os.path.join(ROOT, "build-arm64")
        return pathlib.Path(found)

    def files(self):
        """{path in the guest: file here}."""
        return {f"bin/{SERVER}": self.folder() / SERVER, f"bin/{FIXTURE}": self.folder() / "tests/conformance/fixture"}

    def content(self):
        for path in self.files().values():
            if not path.exists():
                raise NotAvailable(f"{path} is not built: run make arm64")
        return {name: path.read_bytes() for name, path in self.files().items()}

    def fixture(self):
        return str(self.folder() / "tests/conformance/fixture")

    def guest(self):
        """The machine that runs, or one of our own, which ends with this program."""
        if self.agent is None:
            self.agent = arm64_machine.running()
        if self.agent is None:
            try:
                self.agent = arm64_machine.boot(self.folder(), self.content())
            except arm64_machine.Broken as why:
                raise NotAvailable(str(why)) from why
            atexit.register(self.agent.stop)
        return self.agent

    def command(self):
        self.content()
        return ["/bin/" + SERVER, "--once", "--no-startup-with-shell", "-", "/bin/" + FIXTURE]

    def start(self):
        return GuestPipe(self.guest(), self.command(), self.name)


class Listening(Arm64):
    """The same over TCP."""
    name = "process-arm64-socket"
    may_skip = {}

    def command(self):
        self.content()
        return ["/bin/" + SERVER, "--no-startup-with-shell", ":0", "/bin/" + FIXTURE]

    def start(self):
        return GuestListener(self.guest(), self.command(), self.name)


class Gdbserver(Arm64):
    """Debian's gdbserver in the same guest, the referee."""
    name = "gdbserver-arm64"
    front_end = "gdbserver"
    # What it does wrong on x86-64, and there is told why in drivers/gdbserver.py, it does wrong here.
    excused = dict({name: reason for name, reason in Referee.excused.items() if name != "plain_c_and_s"},
                   watch_unaligned="gdbserver 13.1 tells of it twice, for it stands before the access",
                   watch_read="gdbserver 13.1 says watch of every kind", watch_access="gdbserver 13.1 says watch of every kind",
                   watch_during_a_step="gdbserver 13.1 leaves it to the client to step past the access",
                   **{f"watch_write_{size}": "gdbserver 13.1 leaves it to the client to step past the access" for size in (1, 2, 4, 8)})
    may_skip = {name: reason for name, reason in Referee.may_skip.items() if name not in ("watch_read", "watch_read_ignores_writes")}

    def files(self):
        return {f"bin/{FIXTURE}": self.folder() / "tests/conformance/fixture",
                f"bin/{GDBSERVER}": arm64_machine.arm64.store() / "sysroot/usr/bin/gdbserver"}

    def content(self):
        return {**super().content(), **arm64_machine.library_files()}

    def command(self):
        return ["/bin/" + GDBSERVER, "--once", "--no-startup-with-shell", "-", "/bin/" + FIXTURE]


DRIVERS = [Arm64, Listening, Gdbserver]
