"""The stub in a bare machine, of x86-64 and of arm64: QEMU runs the fixture with stubs/baremetal/ in it, and the client is at
the serial line."""

import elf
from client import Stop
from drivers import MACHINE_HAS_NO, Driver, NotAvailable, PipeConnection


class Line(PipeConnection):
    """The machine's serial line. Nothing in a machine ends when its line does."""

    def stop(self):
        self.process.kill()
        super().stop()
        return True


class Baremetal(Driver):
    name = "baremetal"
    target = "bare metal, x86-64"
    kind = "machine"
    rungs = ("look", "run", "breakpoints", "hardware", "step")
    excused = MACHINE_HAS_NO
    may_skip = {
        "reconnect_resets_state": "a pipe cannot be opened twice",
        "reconnect_while_it_runs": "a pipe cannot be opened twice",
    }

    program = "stub-machine"
    emulation = ("qemu-system-x86_64", "-m", "32")

    def fixture(self):
        return self.built("tests", "stub", self.program)

    def symbols(self):
        return elf.symbols(self.fixture())

    def emulator(self, serial):
        return [self.installed(self.emulation[0]), *self.emulation[1:], "-display", "none", "-monitor", "none", "-nodefaults",
                "-no-reboot", *serial, "-kernel", self.fixture()]

    def command(self):
        return self.emulator(["-serial", "stdio"])

    def start(self):
        """What comes before the machine has its serial line in order is lost."""
        connection = Line(self.command(), self.name)
        if not connection.process.stdout.readline().startswith(b"waiting"):
            connection.stop()
            raise NotAvailable(f"the machine does not begin: {connection.complaints}")
        return connection

    def begin(self, client):
        """The program waits for a debugger before the fixture begins; one that comes early stops it before it does."""
        start = self.symbols()["fixture_start"]
        client.request(f"Z1,{start:x},1")
        while not Stop(client.ask("vCont;c")).has("hwbreak"):
            continue
        client.request(f"z1,{start:x},1")


class BaremetalArm64(Baremetal):
    name = "baremetal-arm64"
    target = "bare metal, arm64"
    program = "stub-machine-arm64"
    machine = "aarch64"
    trap = b"\x00\x00\x20\xd4"
    nothing = b"\x1f\x20\x03\xd5"
    emulation = ("qemu-system-aarch64", "-M", "virt", "-cpu", "cortex-a57", "-m", "64")


DRIVERS = [Baremetal, BaremetalArm64]
