#!/usr/bin/env python3
"""The emulator is debugged itself, by gdb and by Trapline, with breakpoints in functions of its own, while gdb-multiarch is
attached to it with a breakpoint in its guest: each hits its own, and knows nothing of the other's.

    inside.py TRAPLINE PROGRAM
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time

from transcripts import DEADLINE, FAILED, check, fail, run, words

# Called from translated code; and when a hart halts for the debugger, on the machine's thread.
SCRIPT = """
set pagination off
set confirm off
tbreak tl_translator_access
commands
silent
printf "host: translated code asks for guest address 0x%lx\\n", address
continue
end
break tl_emulator_event
commands
silent
printf "host: a hart halts at guest address 0x%lx\\n", hart->pc
continue
end
run
"""
GUEST = ["break add", "break factorial if n == 3", "continue", "print a + b", "continue", "print n", "x/2xh add", "delete",
         "continue"]


def wait_for(path, process):
    """Until the server listens there; false when it never will."""
    end = time.monotonic() + DEADLINE
    while not os.path.exists(path):
        if process.poll() is not None or time.monotonic() > end:
            return False
        time.sleep(0.01)
    return True


def debugged(host, name, trapline, program, multiarch):
    """One host debugger: what it and the guest's debugger print."""
    with tempfile.TemporaryDirectory() as folder:
        script, socket = os.path.join(folder, "script"), os.path.join(folder, "socket")
        with open(script, "w", encoding="utf-8") as file:
            file.write(SCRIPT)
        with subprocess.Popen([*host, "-nx", "-q", "--batch", "-x", script, "--args", trapline, "--serve",
                               f"unix:{socket}", "--once", "emu", "--serial", "none", program],
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              env={**os.environ, "ASAN_OPTIONS": "detect_leaks=0"}) as process:  # they need ptrace
            try:
                inside = ""
                if wait_for(socket, process):
                    commands = words([f"target remote {socket}", *GUEST])
                    inside = run([multiarch, "-nx", "-q", "-batch", *commands, program], name)
                outside = process.communicate(timeout=DEADLINE)[0]
            except subprocess.TimeoutExpired as late:
                process.kill()
                fail(name, f"did not end: {late.output}\n{process.communicate()[0]}")
                return
        check(inside, [r"^Breakpoint 1, add \(a=2, b=3\)", r"^\$1 = 5$", r"^Breakpoint 2, factorial \(n=3\)", r"^\$2 = 3$",
                       r"<add>:\s+0x(?!9002)", r"exited normally"], f"guest, in {name}")
        halts = [rf"^host: a hart halts at guest address {address}$" for address in
                 re.findall(r"^Breakpoint \d at (0x\w+):", inside, re.M)]
        check(outside, [*halts, r"exited normally"], f"{name} as the host")
        check(outside, [r"^host: translated code asks for guest address 0x\w+"], f"{name} as the host, below translated code")
        if "SIGTRAP" in outside + inside:
            fail(name, f"a trap that nobody owns in\n{outside}\n{inside}")


def main():
    trapline, program = sys.argv[1:]
    multiarch, gdb = shutil.which("gdb-multiarch"), shutil.which("gdb")
    if multiarch is None:
        print("skipped: gdb-multiarch is not installed")
        return 77
    if gdb is not None:
        debugged([gdb], "gdb", trapline, program, multiarch)
    debugged([trapline], "trapline", trapline, program, multiarch)
    return 1 if FAILED else 0


if __name__ == "__main__":
    sys.exit(main())
