"""The emulated machine behind trapline --serve, with the fixture as a bare-metal program."""

import signal

import elf
from client import Stop
from drivers import MACHINE_HAS_NO, Driver, SocketConnection


class Emulator(Driver):
    name = "emulator"
    target = "emulator"
    kind = "machine"
    rungs = ("look", "run", "breakpoints", "hardware", "step", "reverse")
    nothing = b"\x13\0\0\0"
    excused = MACHINE_HAS_NO | {
        "fault_is_told": "exceptions are the guest's, unless monitor catch says otherwise",
        "own_trap_is_the_programs": "exceptions are the guest's, unless monitor catch says otherwise",
        "absurd_watchpoints_are_refused": "it watches as much as it is told to",
        "breakpoint_where_nothing_is": "breakpoints can be anywhere: the page may be mapped later",
    }
    may_skip = {
        "too_many_watchpoints_are_refused": "there is no end of them",
        "reconnect_resets_state": "a pipe cannot be opened twice",
        "reconnect_while_it_runs": "a pipe cannot be opened twice",
    }

    def fixture(self):
        return self.built("tests", "conformance", "machine-riscv64")

    def symbols(self):
        return elf.symbols(self.fixture())

    options = ()

    def command(self):
        return [self.built("trapline"), "--serve", "-", "emu", *self.options, self.fixture()]

    def begin(self, client):
        """A machine stands at reset."""
        start = self.symbols()["fixture_start"]
        client.request(f"Z1,{start:x},2")
        Stop(client.ask("vCont;c"))
        client.request(f"z1,{start:x},2")


class Interpreted(Emulator):
    """The same without the translator."""
    name = "emulator-interpreter"
    options = ("--interpreter",)


class Listening(Emulator):
    """The same over TCP, with a port that the server chooses."""
    name = "emulator-socket"
    may_skip = {"too_many_watchpoints_are_refused": "there is no end of them"}

    def command(self):
        return [self.built("trapline"), "--serve", ":0", "emu", "--serial", "none", self.fixture()]

    def start(self):
        return SocketConnection(self.command(), self.name, r"Listening on port \d+ \((127\.0\.0\.1):(\d+)\)",
                                lambda process: process.send_signal(signal.SIGTERM))


DRIVERS = [Emulator, Interpreted, Listening]
