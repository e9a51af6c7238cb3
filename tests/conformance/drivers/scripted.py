"""The scripted target behind core's protocol server, in several makes of machine."""

import os
import tempfile

from drivers import Driver, SocketConnection
from registry import RUNGS


class Scripted(Driver):
    name = "scripted"
    target = "scripted"
    rungs = tuple(rung for rung in RUNGS if rung != "reverse")
    options = ()
    may_skip = {name: "a pipe cannot be opened twice" for name in ("reconnect_resets_state", "reconnect_while_it_runs")}

    def command(self):
        return [self.built("tests", "conformance", "scripted_server"), *self.options, self.fixture()]


class WithoutStep(Scripted):
    """A machine that cannot step: the engine puts traps on every successor."""
    name = "scripted-nostep"
    target = "scripted, no step"
    options = ("--without=step",)
    excused = {
        "step_into_a_handler": "a step by traps on the successors does not see that a signal leads elsewhere",
    }


class Inserted(Scripted):
    """Points inserted by the machine, as in an emulator, which passes them by itself."""
    name = "scripted-inserted"
    target = "scripted, inserted points"
    options = ("--points=inserted", "--exact")


class Held(Scripted):
    """No way over a point but to hold all others."""
    name = "scripted-held"
    target = "scripted, held"
    options = ("--without=carry-out", "--without=out-of-line", "--seed=7")


class Listening(Scripted):
    """Served on a Unix socket, to one client after another."""
    name = "scripted-socket"
    may_skip = {}

    def start(self):
        directory = tempfile.mkdtemp(prefix="conformance-")
        path = os.path.join(directory, "socket")
        first, *rest = self.command()
        return SocketConnection([first, f"--listen={path}", *rest], self.name, r"^listening on (.+)$",
                                lambda process: process.stdin.close(), directory)


DRIVERS = [Listening, Scripted, WithoutStep, Inserted, Held]
