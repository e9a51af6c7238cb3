"""The virtual machine behind trapline --serve, with the fixture as what it boots."""

import os
import signal

import elf
from client import Stop
from drivers import MACHINE_HAS_NO, Driver, NotAvailable, SocketConnection


class Kvm(Driver):
    name = "kvm"
    target = "kvm"
    kind = "machine"
    first_threads = 2
    rungs = ("look", "run", "breakpoints", "hardware", "step", "lifetime", "objects")
    excused = MACHINE_HAS_NO | {
        "fault_is_told": "exceptions are the guest's",
        "own_trap_is_the_programs": "exceptions are the guest's",
        "breakpoint_where_nothing_is": "it waits for its page (tests/kvm: breakpoint_before_its_page_is_there)",
        "reconnect_while_it_runs": "processors are not made by programs (tests/kvm: client_dies_in_the_middle)",
    }
    may_skip = {"too_many_watchpoints_are_refused": "there is no end of them",
                "memory_region": "what is mapped depends on the processor: monitor info mem"}

    def fixture(self):
        return self.built("tests", "kvm", "fixture")

    def symbols(self):
        return elf.symbols(self.fixture())

    def command(self):
        if not os.access("/dev/kvm", os.R_OK | os.W_OK):
            raise NotAvailable("there is no /dev/kvm that may be opened")
        return [self.built("trapline"), "--serve", ":0", "kvm", "--cpus", "2", "--memory", "32M", "--serial", "none", self.fixture()]

    def start(self):
        return SocketConnection(self.command(), self.name, r"Listening on port \d+ \((127\.0\.0\.1):(\d+)\)",
                                lambda process: process.send_signal(signal.SIGTERM))

    def has_begun(self, client):
        """A client that is not the first finds the fixture where the one before it left it."""
        symbols = self.symbols()
        return not symbols["boot"] <= client.pc(client.threads()[0]) < symbols["on_trap"]

    def begin(self, client):
        """A machine stands before its first instruction; its second processor waits to be started, and nobody does."""
        if self.has_begun(client):
            return
        start = self.symbols()["fixture_start"]
        client.request(f"Z1,{start:x},1")
        Stop(client.ask("vCont;c"))
        client.request(f"z1,{start:x},1")


class KvmWithoutPoints(Kvm):
    """Where neither int3 nor debug registers come to a hypervisor: QEMU's emulation of SVM (docs/TESTS_ON_KVM.md)."""

    name = "kvm-without-points"
    target = "kvm, SVM without points"
    rungs = ("look", "run", "step", "lifetime", "objects")
    excused = Kvm.excused | dict.fromkeys(
        ("second_stop_reply_never_comes", "interrupt_while_stopped_is_harmless", "plain_c_and_s", "step_off_a_breakpoint",
         "step_onto_a_breakpoint", "range_step_stops_at_a_breakpoint", "detach_is_answered", "lost_client", "reconnect_resets_state"),
        "breakpoints are not seen there")

    def begin(self, client):
        """By steps that the server makes by itself, out of what lies before the fixture."""
        symbols = self.symbols()
        if not self.has_begun(client):
            Stop(client.ask(f"vCont;r{symbols['boot']:x},{symbols['on_trap']:x}:1", timeout=60))

    def run_to(self, client, address):
        """The same: through all that is below it, or above it."""
        for _ in range(100):
            low, high = (0, address) if client.pc() < address else (address + 1, 1 << 40)
            stop = Stop(client.ask(f"vCont;r{low:x},{high:x}:1", timeout=60))
            if stop.kind != "T" or client.pc(stop.thread) == address:
                break
        return stop


DRIVERS = [Kvm, KvmWithoutPoints]
