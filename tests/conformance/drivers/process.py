"""A Linux process behind trapline --serve."""

import signal

from drivers import Driver, SocketConnection
from registry import RUNGS


class Process(Driver):
    name = "process"
    target = "process"
    rungs = tuple(rung for rung in RUNGS if rung != "reverse")
    may_skip = {name: "a pipe cannot be opened twice" for name in ("reconnect_resets_state", "reconnect_while_it_runs")}

    def command(self):
        return [self.built("trapline"), "--serve", "-", self.fixture()]


class Listening(Process):
    """The same over TCP, with a port that the server chooses."""
    name = "process-socket"
    may_skip = {}

    def command(self):
        return [self.built("trapline"), "--serve", ":0", self.fixture()]

    def start(self):
        return SocketConnection(self.command(), self.name, r"Listening on port \d+ \((127\.0\.0\.1):(\d+)\)",
                                lambda process: process.send_signal(signal.SIGTERM))


DRIVERS = [Process, Listening]
