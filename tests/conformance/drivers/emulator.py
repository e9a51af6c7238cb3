"""The emulated machine behind trapline --serve, with the fixture as a bare-metal program."""

import signal

import elf
from client import Stop
from drivers import Driver, SocketConnection

SIGNALS = "a machine has no signals"
ENDS = "the fixture does not switch the machine off"
CALLS = "no system calls"
HARTS = "harts are not made by programs"


class Emulator(Driver):
    name = "emulator"
    target = "emulator"
    kind = "machine"
    rungs = ("look", "run", "breakpoints", "hardware", "step", "reverse")
    nothing = b"\x13\0\0\0"
    excused = {
        "signal_is_delivered": SIGNALS,
        "signal_stops_and_is_withheld": SIGNALS,
        "signal_injected_by_the_client": SIGNALS,
        "passed_signals_do_not_stop": SIGNALS,
        "signal_kills": SIGNALS,
        "step_into_a_handler": SIGNALS,
        "fault_is_told": "exceptions are the guest's, unless monitor catch says otherwise",
        "own_trap_is_the_programs": "exceptions are the guest's, unless monitor catch says otherwise",
        "exit_code_is_told": ENDS,
        "after_the_end": ENDS,
        "blocked_call_is_interrupted": CALLS,
        "output_reaches_somebody": CALLS,
        "step_over_a_clone": HARTS,
        "step_while_others_hit_breakpoints": HARTS,
        "hardware_breakpoint_in_new_threads": HARTS,
        "watch_in_every_thread": HARTS,
        "stale_hit_after_removal": HARTS,
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
