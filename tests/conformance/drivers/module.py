"""trapline.ko in Debian's kernel (tests/stub/linux_machine.py): the fixture is a thread of the kernel (tests/stub/linux_fixture.c),
and the client is at the serial line. One machine serves all scenarios, a new one after each that left it in no good state."""

import atexit
import os
import shutil
import sys

import elf
from client import Stop
from drivers import MACHINE_HAS_NO, Driver, NotAvailable, ROOT

sys.path.insert(0, os.path.join(ROOT, "tests", "stub"))
SECTIONS = (".text", ".rodata", ".data", ".bss")
BEGIN = "write /sys/module/fixture/parameters/begin 1"


class Connection:
    """The line of a machine that stays."""

    reopens = False
    complaints = ""

    def __init__(self, driver):
        self.driver, self.asked = driver, False

    def open(self):
        line = self.driver.computer.line.fileno()
        return os.dup(line), os.dup(line)

    def stop(self):
        """The fixture's thread ends, and what the scenario left is taken back."""
        try:
            self.driver.clear_up(self.asked)
        except Exception:  # pylint: disable=broad-except  (whatever it is: the next scenario gets another machine)
            self.driver.end()
        return True


class Module(Driver):
    name = "module"
    target = "Linux, from inside"
    kind = "machine"
    rungs = ("look", "run", "breakpoints", "hardware", "step")
    insert = "insmod port=ttyS1"
    excused = MACHINE_HAS_NO | {
        "fault_is_told": "a fault in the kernel is an oops of its own",
        "own_trap_is_the_programs": "a trap instruction of the kernel's own is an oops",
        "watch_during_a_step": "QEMU raises the step's trap once more in what handles the watchpoint's (docs/KERNEL_MODULE.md)",
    }
    may_skip = {
        "reconnect_resets_state": "a line cannot be opened twice",
        "reconnect_while_it_runs": "a line cannot be opened twice",
    }

    def __init__(self, build):
        super().__init__(build)
        self.computer, self.connection, self.found = None, None, {}
        atexit.register(self.end)

    def command(self):
        if shutil.which("qemu-system-x86_64") is None:
            raise NotAvailable("qemu-system-x86_64 is not installed")

    def symbols(self):
        return self.found

    def read(self, path):
        self.computer.order(f"read {path}")
        return self.computer.said.split("\n=ok")[-2].split("\n=")[-1].strip().split("\n")[-1]

    def boot(self):
        """One processor, whose code can be preempted wherever it is: the fixture goes round for ever."""
        import linux_machine  # pylint: disable=import-outside-toplevel,import-error

        try:
            self.computer = linux_machine.Machine(self.build, 1, "preempt=full", fixture=True)
        except linux_machine.Missing as reason:
            raise NotAvailable(str(reason)) from reason
        self.computer.order("fixture")
        self.computer.order(self.insert)
        places = {name: int(self.read(f"/sys/module/fixture/sections/{name}"), 16) for name in SECTIONS}
        self.found = elf.symbols(str(self.computer.where / "fixture/fixture.ko"), places)
        # What is mapped of the module ends with a page.
        self.found["_end"] = self.found["fixture_start"] // 4096 * 4096 + int(self.read("/sys/module/fixture/coresize")) - 1

    def end(self):
        if self.computer is not None:
            self.computer.end()
            self.computer = None

    def start(self):
        if self.computer is None:
            self.boot()
        self.connection = Connection(self)
        return self.connection

    def begin(self, client):
        """The fixture's thread begins while the debugger waits for it at its first instruction."""
        start = self.found["fixture_start"]
        client.order(f"Z1,{start:x},1")
        self.computer.ask(BEGIN)
        self.connection.asked = True
        while not Stop(client.ask("vCont;c", timeout=20)).has("hwbreak"):
            continue
        client.order(f"z1,{start:x},1")

    def clear_up(self, asked):
        """By another client, which gets rid of what this one left; at the loop's beginning the stack is as the thread found it."""
        client = self.computer.client()
        if asked:
            loop = self.found["fixture_loop"]
            self.drop(client)
            client.insert(1, loop)
            stop = client.run(timeout=20)
            if client.pc(stop.thread) != loop:
                raise AssertionError(f"{stop} is not at the loop")
            client.remove(1, loop)
            client.set_register("rip", self.found["fixture_leave"], stop.thread)
        client.order("D")
        client.close()
        if asked and self.computer.answer() != "ok":
            raise AssertionError("the fixture did not begin")

    def drop(self, client):
        """No request is left to be served, and the next fixture finds its variables as new."""
        for name in ("request", "argument", "address", "value", "counter", "last", "dismiss"):
            client.set_word(self.found["fixture_" + name], 0)


class ModuleEarly(Module):
    """With the debug registers as the module's own."""

    name = "module-early"
    target = "Linux, from inside, early=1"
    insert = "insmod port=ttyS1 early=1"


DRIVERS = [Module, ModuleEarly]
