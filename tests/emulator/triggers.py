#!/usr/bin/env python3
"""A guest that sets triggers for itself (tests/emulator/guest/triggers.c) under a debugger that has points at the very same
places: each owner gets its own, in the right order, and neither sees the other's.

    triggers.py TRAPLINE PROGRAM
"""

import shutil
import sys

from transcripts import FAILED, check, run, words

COMMANDS = [
    "break *target", "continue", "print trap_count", "print/x $tdata1", "monitor info points",  # the debugger first
    "continue", "print trap_count", "print traps[0].pc == (unsigned long)&target",  # the guest has had its own
    "delete", "watch variable", "continue", "print trap_count", "print traps[1].variable",  # before the store; behind it
    "delete", "break *load", "continue", "delete", "print variable", "continue"]  # the guest finds all as it should
PATTERNS = [
    r"^Breakpoint 1, ", r"^\$1 = 0$", r"^\$2 = 0x6000000000000044$",
    r"^Breakpoint 1, ", r"^\$3 = 1$", r"^\$4 = (1|true)$",
    r"^Hardware watchpoint 2: variable", r"^Old value = 1$", r"^New value = 5$", r"^\$5 = 2$", r"^\$6 = 1$",
    r"^Breakpoint 3, ", r"^\$7 = 5$", r"exited normally"]
CAUGHT = ["break *target", "monitor catch ebreak", "continue", "continue", "print trap_count", "continue", "print trap_count",
          "monitor catch none", "delete", "continue"]
CAUGHT_PATTERNS = [r"^Breakpoint 1, ", r"SIGTRAP|^Breakpoint 1, ", r"^\$1 = 0$", r"^Breakpoint 1, ", r"^\$2 = 1$", r"exited normally"]
STEPS = ["break *target", "continue", "stepi", "info symbol $pc", "print $mcause", "print $mepc == (unsigned long)&target",
         "print/x $tdata1", "delete", "continue"]
STEP_PATTERNS = [r"^Breakpoint 1, ", r"^on_trap in section", r"^\$1 = 3$", r"^\$2 = (1|true)$",
                 r"^\$3 = 0x6000000000400044$", r"exited normally"]


def main():
    trapline, program = sys.argv[1:]
    gdb = shutil.which("gdb-multiarch")
    for options in ([], ["--interpreter"]):
        for name, commands, patterns in (("points", COMMANDS, PATTERNS), ("steps", STEPS, STEP_PATTERNS),
                                         ("caught", CAUGHT, CAUGHT_PATTERNS)):
            text = run([trapline, "-nx", "-q", "--batch", *words(commands), "emu", *options, program], "prompt")
            check(text, patterns, " ".join(["prompt", name, *options]))
            if gdb is None:
                print("skipped: gdb-multiarch is not installed")
                continue
            serve = f"target remote | {trapline} --serve - --once emu {' '.join(options)} {program}"
            text = run([gdb, "-nx", "-q", "-batch", *words([serve, *commands]), program], "gdb")
            check(text, patterns, " ".join(["gdb", name, *options]))
    return 1 if FAILED else 0


if __name__ == "__main__":
    sys.exit(main())
