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
        "plain_c_and_s": "gdbserver 13.1 does not answer the packet s",
        "many_threads_false_condition": "gdbserver 13.1, interrupted, tells of a hit whose condition is false",
    }
    may_skip = {
        "p_reads_one_register": "it does not know p",
        "P_writes_one_register": "it does not know P",
        "x_reads_binary": "it does not know x",
        "watch_read": "it has no Z3 on x86",
        "watch_read_ignores_writes": "it has no Z3 on x86",
        "thread_options_tell_of_a_clone": "it does not know QThreadOptions",
        "thread_options_tell_of_an_exit": "it does not know QThreadOptions",
        "reconnect_resets_state": "a pipe cannot be opened twice",
        "reconnect_while_it_runs": "a pipe cannot be opened twice",
        "memory_region": "it does not know qMemoryRegionInfo",
    }
    rungs = tuple(rung for rung in RUNGS if rung != "reverse")

    def command(self):
        return [self.installed("gdbserver"), "--once", "-", self.fixture()]


DRIVERS = [Gdbserver]
