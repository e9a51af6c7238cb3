#!/usr/bin/env python3
"""Goes back in the bare-metal program tests/emulator/bare.c, at Trapline's prompt, with gdb-multiarch as the referee.

    back.py TRAPLINE PROGRAM

The same commands lead to the same places: at the prompt of a machine, at the prompt over the wire, and in gdb.
"""

import difflib
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile

FAILED = []
DEADLINE = 60

# What leads back and forth, and where both are the same word for word. Watchpoints are not among it: gdb takes RISC-V's
# for those of a machine that stops before the access, and goes one instruction too far, both ways.
WALKS = {
    "next": ["break mean", "continue", *["reverse-next"] * 40, "print $pc"],
    "step": ["break mean", "continue", *["rs"] * 90, "backtrace"],
    "nexti": ["break mean", "continue", *["rni"] * 60, "print $pc"],
    "stepi": ["break mean", "continue", *["rsi 3", "reverse-stepi"] * 20, "print $pc"],
    "counts": ["break mean", "continue", *["rs 2", "rn 3"] * 6, "print $pc"],
    "points": ["break factorial", "continue", "continue", "continue", "continue", "reverse-continue", "rc", "step", "rs",
               "reverse-finish", "continue", "rsi", "rni", "rc", "rc", "rc", "continue", "info breakpoints"],
    "address": ["break *factorial", "break *(factorial + 4)", "continue", "stepi", "rsi", "rc", "continue", "continue",
                "continue", "rc", "rsi", "stepi", "continue"],
    "finish": ["break print", "continue", "reverse-finish", "reverse-next", "rs", "reverse-finish", "rs", "rs", "rs",
               "reverse-finish"],
    "direction": ["break mean", "continue", "show exec-direction", "set exec-direction reverse", "show exec-direction",
                  "step", "step", "next", "next 2", "reverse-step", "finish", "until", "advance sort",
                  "set exec-direction forward", "step"],
    "beginning": ["rsi", "rc", "info registers pc", "break main", "continue", "delete", "rc", "rsi"],
}


def fail(what, text):
    FAILED.append(what)
    print(f"not ok {what}\n{text}")


def run(command, what):
    try:
        return subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              timeout=DEADLINE, check=False, text=True).stdout
    except subprocess.TimeoutExpired as late:
        fail(what, f"did not end: {late.output}")
        return ""


def words(commands):
    return [word for command in commands for word in ("-ex", command)]


def machine(program, options):
    return ["emu", *options, program]


def prompt(trapline, program, options, commands, what):
    return run([trapline, "-nx", "-q", "--batch", *words(commands), *machine(program, options)], what)


def wire(trapline, program, options, commands, what):
    with tempfile.TemporaryDirectory() as folder:
        address = f"unix:{folder}/socket"
        with subprocess.Popen([trapline, "--serve", address, "--once", *machine(program, options)],
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as server:
            server.stdout.readline()
            text = run([trapline, "-nx", "-q", "--batch", "-ex", f"file {program}", "-ex", f"target remote {address}",
                        *words(commands)], what)
            server.kill()
    return text


def referee(gdb, trapline, program, options, commands, what):
    serve = f"target remote | {trapline} --serve - --once {' '.join(machine(program, options))}"
    return run([gdb, "-nx", "-q", "-batch", "-ex", "set style enabled off", "-ex", serve, *words(commands), program],
               what)


def plain(text):
    """Without what says how it was connected, and how it ended."""
    lines = [line for line in text.splitlines() if line and not line.startswith("Remote debugging using")]
    lines = [line for line in lines if "killed]" not in line and "detached]" not in line]
    return [re.sub(r"^#0 (0x0+1000 in)", r"\1", re.sub(r"\s+", " ", line)) for line in lines]


def same(what, expected, found):
    difference = list(difflib.unified_diff(plain(expected), plain(found), "expected", "found", lineterm=""))
    if difference or len(plain(found)) < 5:
        fail(what, "\n".join(difference) or found)
    else:
        print(f"ok {what}")


def check(text, patterns, what):
    """Each pattern is found behind the one before it."""
    at = 0
    for pattern in patterns:
        found = re.compile(pattern, re.M).search(text, at)
        if found is None:
            fail(what, f"no {pattern!r} behind\n{text[max(0, at - 200):at]}\nin\n{text}")
            return
        at = found.end()
    print(f"ok {what}")


def walks(trapline, program, options):
    gdb = shutil.which("gdb-multiarch")
    if gdb is None:
        print("skipped: gdb-multiarch is not installed, the prompt is compared with itself over the wire")
    for name, commands in WALKS.items():
        what = " ".join([name, *options])
        here = prompt(trapline, program, options, commands, what)
        if gdb is not None:
            same(what, referee(gdb, trapline, program, options, commands, what), here)
        if gdb is None or not options:
            same(f"{what} (wire)", here, wire(trapline, program, options, commands, what))


def watchpoints(trapline, program, options):
    """Who wrote it, and what was there before; a local variable ends where its frame began."""
    commands = ["break mean", "continue", "watch table[2]", "rc", "print $pc", "print table[2]", "reverse-stepi",
                "stepi", "rc", "rc", "rc", "continue", "delete", "break sort", "rc", "watch numbers[2]", "rc", "rc", "rc",
                "info breakpoints"]
    text = prompt(trapline, program, options, commands, "watchpoints")
    check(text, [r"^Hardware watchpoint 2: table\[2\]\n\nOld value = 3\nNew value = 2\n.*bare\.c:71", r"= 2$",
                 r"^Old value = 2\nNew value = (\d+)", r"^Old value", r"^Old value", r"^Old value",
                 r"^Breakpoint 3, sort", r"^Hardware watchpoint 4: numbers\[2\]",
                 r"^Watchpoint 4 deleted because the program has left the block", r"No more reverse-execution history",
                 r"^3 "], " ".join(["watchpoints", *options]))
    text = prompt(trapline, program, options,
                  ["break mean", "continue", "set can-use-hw-watchpoints 0", "watch shared", "rc", "rc"], "software")
    check(text, [r"^Watchpoint 2: shared\n\nOld value = 5\nNew value = 0", r"in add \(a=2, b=3\)",
                 r"No more reverse-execution history"], " ".join(["software watchpoint", *options]))


def recursion(trapline, program, options):
    """A finish that leads back past inner calls of the same function ends at the call of the selected one."""
    text = prompt(trapline, program, options,
                  ["break swap", "continue", "delete", "rn", "rs", "rs", "rs", "backtrace", "reverse-finish",
                   "x/i $pc", "set exec-direction reverse", "finish"], "recursion")
    check(text, [r"^#0 +factorial \(n=5\)", r"^0x[0-9a-f]+ in main \(\)", r"jal.*<factorial>",
                 r"not meaningful"],
          " ".join(["recursion", *options]))


def refusals(trapline, program):
    text = run([trapline, "-nx", "-q", "--batch", "-ex", "set exec-direction reverse", "-ex", "show exec-direction",
                "-ex", "starti", "-ex", "reverse-step", "-ex", "rc", "-ex", "set exec-direction reverse", "-ex",
                "show exec-direction", "/bin/true"], "refusals")
    check(text, [r"does not support this command", r"^Forward\.", r"^Target process does not support this command",
                 r"trapline emu", r"^Target process does not", r"^Target process does not", r"^Forward\."], "refusals")
    text = prompt(trapline, program, ["--no-history"], ["break main", "continue", "rs", "rc"], "no history")
    check(text, [r"^Breakpoint 1, main", r"^Target emulator does not support", r"^Target emulator"], "no history")


class Conversation:
    """A prompt that is talked to line by line."""

    def __init__(self, command):
        self.process = subprocess.Popen(  # pylint: disable=consider-using-with
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    def say(self, line):
        self.process.stdin.write(line.encode() + b"\n")
        self.process.stdin.flush()

    def hear(self, words_awaited):
        heard = b""
        while words_awaited.encode() not in heard:
            piece = os.read(self.process.stdout.fileno(), 4096)
            if not piece:
                break
            heard += piece
        return heard.decode(errors="replace")


def interrupt(trapline, program):
    """^C on the way forward, and on the way back, which then leads on to the beginning."""
    talk = Conversation([trapline, "-nx", "-q", *machine(program, [])])
    heard = ""
    for line, awaited in (("tbreak main", "breakpoint 1"), ("continue", "struct pair"), ("jump other_hart", "Continuing")):
        talk.say(line)
        heard += talk.hear(awaited)
    talk.process.send_signal(signal.SIGINT)
    heard += talk.hear("SIGINT")
    for line, awaited in (("watch others if others == -5", "watchpoint 2"), ("reverse-continue", "Continuing")):
        talk.say(line)
        heard += talk.hear(awaited)
    talk.process.send_signal(signal.SIGINT)
    heard += talk.hear("Interrupt")
    for line, awaited in (("delete", "Delete all"), ("reverse-continue", "history"), ("info registers pc", "0x1000")):
        talk.say(line)
        heard += talk.hear(awaited)
    talk.process.kill()
    talk.process.wait()
    check(heard, [r"SIGINT", r"Continuing", r"SIGINT|history", r"No more reverse-execution history", r"0x1000"], "^C")


def main():
    signal.alarm(4 * DEADLINE)
    trapline, program = sys.argv[1:]
    for options in ([], ["--interpreter"]):
        walks(trapline, program, options)
        watchpoints(trapline, program, options)
        recursion(trapline, program, options)
    refusals(trapline, program)
    interrupt(trapline, program)
    print(f"{len(FAILED)} failed")
    return 1 if FAILED else 0


if __name__ == "__main__":
    sys.exit(main())
