"""The serial port of a served machine: on a terminal, whose keys are the guest's but for ^A, and at a socket. The guest is
firmware, which says who it is and then waits."""

import os
import pty
import select
import signal
import socket
import subprocess
import sys
import tempfile
import termios
import time

from harness import TRAPLINE, run

FIRMWARE = "/usr/lib/riscv64-linux-gnu/opensbi/generic/fw_jump.elf"
SECONDS = 40


class Terminal:
    """A machine at a terminal of its own."""

    def __init__(self, *words):
        self.ours, self.its = pty.openpty()
        self.before = termios.tcgetattr(self.its)
        self.process = subprocess.Popen([TRAPLINE, "--serve", ":0", "emu", "--firmware", FIRMWARE, *words], stdin=self.its, stdout=self.its,
                                        stderr=self.its, start_new_session=True)
        self.text = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        os.close(self.ours)
        os.close(self.its)

    def until(self, wanted):
        end = time.monotonic() + SECONDS
        while wanted not in self.text:
            assert select.select([self.ours], [], [], max(0, end - time.monotonic()))[0], (wanted, self.text)
            self.text += os.read(self.ours, 65536)

    def type(self, keys):
        os.write(self.ours, keys)

    def changed(self):
        return termios.tcgetattr(self.its) != self.before


def test_keys(_):
    with Terminal("--running", "--serial", "-") as machine:
        machine.until(b"OpenSBI")
        assert machine.changed()
        machine.type(b"\x03\x1a\x01\x01\x01h")
        machine.until(b"^A x ends the machine")
        assert machine.process.poll() is None, "^C is the guest's"
        machine.type(b"\x01x")
        assert machine.process.wait(SECONDS) == -signal.SIGTERM
        assert not machine.changed(), "the terminal is as it was"


def test_signal(_):
    """However it is ended, but for SIGKILL."""
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        with Terminal("--running", "--serial", "-") as machine:
            machine.until(b"OpenSBI")
            machine.process.send_signal(number)
            assert machine.process.wait(SECONDS) == -number
            assert not machine.changed(), number


def test_socket(_):
    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/serial"
        with Terminal("--serial", f"unix:{path}") as machine, socket.socket(socket.AF_UNIX) as line:
            machine.until(b"The serial port is at unix:")
            assert not machine.changed(), "the terminal is not the machine's"
            line.connect(path)
            line.settimeout(SECONDS)
            machine.until(b"is at the serial port.")
            machine.process.send_signal(signal.SIGTERM)
            assert machine.process.wait(SECONDS) == -signal.SIGTERM
            assert line.recv(100) == b""
            assert not os.path.exists(path), "its file goes with it"


def test_nonsense(_):
    for where, wanted in (("tcp:nonsense", b"nonsense"), ("unix:/nowhere/at/all", b"/nowhere")):
        process = subprocess.run([TRAPLINE, "--serve", ":0", "emu", "--firmware", FIRMWARE, "--serial", where], stdin=subprocess.DEVNULL,
                                 stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=SECONDS, check=False)
        assert process.returncode in (1, 2) and wanted in process.stdout, process.stdout


if __name__ == "__main__":
    sys.exit(run(globals()))
