"""Stock gdbserver, the referee: where it disagrees with a scenario, the scenario is looked at first."""

from drivers import Driver
from registry import RUNGS


class Gdbserver(Driver):
    name = "gdbserver"
    target = "process"
    front_end = "gdbserver"
    excused = {
        "reads_of_nothing": "gdbserver 13.1 dies of a length of 64 bits",
        "malformed_packets": "gdbserver 13.1 dies of the packet m,",
        "parts_past_the_end": "gdbserver 13.1 dies of an offset behind the end",
        "nak_is_answered_again": "gdbserver 13.1 does not look for a - once it waits for a packet",
        "requests_while_running": "gdbserver 13.1 takes the packet for the end of the resume",
        "nonsense_bytecode_is_harmless": "gdbserver 13.1 runs unverified bytecode without end",
        "commands_print_and_go_on": "gdbserver 13.1 prints between the packets when it serves a pipe",
        "stale_hit_after_removal": "gdbserver 13.1 tells of such hits and leaves it to the client to drop them",
        "absurd_watchpoints_are_refused": "gdbserver 13.1 takes a watchpoint of no bytes",
    }
    rungs = tuple(rung for rung in RUNGS if rung != "reverse")

    def command(self):
        return [self.installed("gdbserver"), "--once", "-", self.fixture()]


DRIVERS = [Gdbserver]
