"""The remote target behind trapline --serve: a client of one server that is served by another. The program stands behind
both, so that every scenario goes through the client too."""

import os
import shutil
import signal
import socket
import subprocess
import tempfile

import elf
from client import Client, Stop
from drivers import Driver, NotAvailable, PipeConnection, SocketConnection
from registry import RUNGS, wait_until


class Remote(Driver):
    """Over our own server."""
    name = "remote"
    target = "remote"
    rungs = tuple(rung for rung in RUNGS if rung != "reverse")
    may_skip = {
        "reconnect_resets_state": "a pipe cannot be opened twice",
        "reconnect_while_it_runs": "a pipe cannot be opened twice",
        "thread_options_tell_of_a_clone": "births are learnt from the stub's list of threads, not from their makers",
    }

    def stub(self):
        return f"{self.built('trapline')} --serve - {self.fixture()}"

    def command(self):
        return [self.built("trapline"), "--serve", "-", "connect", "| exec " + self.stub()]


class Listening(Remote):
    """The same for one client after another."""
    name = "remote-socket"
    may_skip = {"thread_options_tell_of_a_clone": Remote.may_skip["thread_options_tell_of_a_clone"]}

    def start(self):
        return SocketConnection([self.built("trapline"), "--serve", ":0", "connect", "| exec " + self.stub()], self.name,
                                r"Listening on port \d+ \((127\.0\.0\.1):(\d+)\)",
                                lambda process: process.send_signal(signal.SIGTERM))


class OverGdbserver(Remote):
    name = "remote-gdbserver"
    target = "remote, gdbserver"
    may_skip = dict(Remote.may_skip, memory_region="gdbserver does not know qMemoryRegionInfo")

    def stub(self):
        return f"{self.installed('gdbserver')} --once - {self.fixture()}"


class MachineConnection(PipeConnection):
    """The client's, and the emulator that it is a client of."""

    def __init__(self, command, name, emulator, directory):
        self.emulator, self.directory = emulator, directory
        super().__init__(command, name)

    def stop(self):
        graceful = super().stop()
        self.emulator.kill()
        self.emulator.wait()
        shutil.rmtree(self.directory, ignore_errors=True)
        return graceful


class OverQemu(Remote):
    """Over QEMU's stub, with the fixture as what the machine boots."""
    name = "remote-qemu"
    target = "remote, QEMU"
    kind = "machine"
    rungs = ("look", "run", "breakpoints", "hardware", "step")
    excused = {
        "signal_is_delivered": "a machine has no signals",
        "signal_stops_and_is_withheld": "a machine has no signals",
        "signal_injected_by_the_client": "a machine has no signals",
        "passed_signals_do_not_stop": "a machine has no signals",
        "signal_kills": "a machine has no signals",
        "step_into_a_handler": "a machine has no signals",
        "fault_is_told": "QEMU tells of no exceptions",
        "own_trap_is_the_programs": "QEMU tells of no exceptions",
        "exit_code_is_told": "a machine does not end",
        "after_the_end": "a machine does not end",
        "blocked_call_is_interrupted": "no system calls",
        "output_reaches_somebody": "no system calls",
        "step_over_a_clone": "one processor",
        "step_while_others_hit_breakpoints": "one processor",
        "hardware_breakpoint_in_new_threads": "one processor",
        "watch_in_every_thread": "one processor",
        "stale_hit_after_removal": "one processor",
        "breakpoint_where_nothing_is": "QEMU puts breakpoints anywhere, as it writes none",
        "absurd_watchpoints_are_refused": "QEMU watches as much as it is told to",
    }
    may_skip = {"too_many_watchpoints_are_refused": "QEMU has no end of them"}

    def fixture(self):
        return self.built("tests", "conformance", "machine")

    def symbols(self):
        return elf.symbols(self.fixture())

    def boot(self, path):
        """A machine that stands at the fixture's first instruction: its stub says little of how it began."""
        emulator = subprocess.Popen(
            [self.installed("qemu-system-x86_64"), "-display", "none", "-serial", "none", "-monitor", "none", "-nodefaults",
             "-no-reboot", "-S", "-m", "16", "-chardev", f"socket,path={path},server=on,wait=off,id=stub", "-gdb",
             "chardev:stub", "-kernel", self.fixture()], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        stream = socket.socket(socket.AF_UNIX)
        wait_until(lambda: stream.connect_ex(path) == 0 or emulator.poll() is not None, "the machine's stub")
        if emulator.poll() is not None:
            raise NotAvailable("the emulator does not start")
        descriptor = stream.detach()
        client = Client(descriptor, os.dup(descriptor), self.name)
        client.start()
        start = self.symbols()["fixture_start"]
        client.request(f"Z1,{start:x},1")
        Stop(client.ask("vCont;c"))
        client.request(f"z1,{start:x},1")
        client.close()
        return emulator

    def start(self):
        directory = tempfile.mkdtemp(prefix="conformance-")
        path = os.path.join(directory, "stub")
        emulator = self.boot(path)
        return MachineConnection([self.built("trapline"), "--serve", "-", "connect", "unix:" + path], self.name, emulator,
                                 directory)

    def command(self):
        return [self.installed("qemu-system-x86_64"), self.fixture()]


DRIVERS = [Remote, Listening, OverGdbserver, OverQemu]
