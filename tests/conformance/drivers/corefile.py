"""A core dump of the fixture at its first instruction, made by gdb, behind trapline --serve."""

import atexit
import os
import shutil
import subprocess
import tempfile

from drivers import Driver, NotAvailable

WRITES = "a core is a record: nothing in it can be written"
RUNS = "nothing in a core runs"


class Corefile(Driver):
    name = "corefile"
    target = "core"
    rungs = ("look", "objects")
    excused = {
        "G_writes_registers": WRITES,
        "P_writes_one_register": WRITES,
        "memory_reads_back": WRITES,
        "code_is_writable": WRITES,
        "X_writes_binary": WRITES,
        "siginfo": RUNS,
        "siginfo_of_a_sent_signal": RUNS,
    }
    core = None

    def dump(self):
        """The core, made once a run."""
        if self.core is None:
            directory = tempfile.mkdtemp(prefix="conformance-")
            atexit.register(shutil.rmtree, directory, ignore_errors=True)
            path = os.path.join(directory, "core")
            made = subprocess.run([self.installed("gdb"), "-nx", "-q", "-batch", "-ex", "starti", "-ex", f"gcore {path}",
                                   "-ex", "kill", self.fixture()],
                                  capture_output=True, text=True, timeout=60, check=False)
            if not os.path.exists(path):
                raise NotAvailable(f"gdb made no core: {made.stdout}{made.stderr}")
            self.core = path
        return self.core

    def command(self):
        return [self.built("trapline"), "--serve", "-", "core", self.dump(), self.fixture()]


DRIVERS = [Corefile]
