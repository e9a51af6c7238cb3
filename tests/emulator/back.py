#!/usr/bin/env python3
"""Goes back in the bare-metal program tests/emulator/bare.c, at Trapline's prompt, with gdb-multiarch as the referee.

    back.py TRAPLINE PROGRAM

The same commands lead to the same places: at the prompt of a machine, at the prompt over the wire, and in gdb.
"""

import difflib
import os
import pathlib
import re
import shutil
import signal
import struct
import subprocess
import sys
import tempfile

from transcripts import DEADLINE, FAILED, check, fail, run, words

# What leads back and forth, and where both are the same word for word.
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
    "watch": ["break add", "continue", "watch shared", "delete 1", "continue", "x/i $pc", "stepi", "x/i $pc", "rc",
              "x/i $pc", "continue", "x/i $pc", "rc", "x/i $pc"],
    "watch reads": ["rwatch table[1]", "awatch table[2]", *["continue", "x/i $pc"] * 3, *["rc", "x/i $pc"] * 3],
    "watch conditions": ["watch table[2] if table[2] > 2", *["continue", "x/i $pc"] * 2, "rc", "x/i $pc"],
    "beginning": ["rsi", "rc", "info registers pc", "break main", "continue", "delete", "rc", "rsi"],
}


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


def steps_over_writes(trapline, program, options):
    """A step back over a write stops there, and the write is noticed again on the way forwards."""
    text = prompt(trapline, program, options,
                  ["break add", "continue", "watch shared", "delete 1", "continue", "rsi", "rsi", "continue", "next",
                   "reverse-next", "reverse-next", "continue"], "steps")
    check(text, [r"^Old value = 0\nNew value = 5", r"^Old value = 5\nNew value = 0", r"bare\.c:38",
                 r"^Old value = 0\nNew value = 5", r"^39", r"^Old value = 5\nNew value = 0",
                 r"^Old value = 0\nNew value = 5"], " ".join(["steps over writes", *options]))


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


def empty_disk(path):
    """An empty disk of 1 MiB in QEMU's own format (qcow2, docs/interop/qcow2.txt): its snapshots go there."""
    cluster = 1 << 16
    header = struct.pack(">4sIQIIQIIQQIIQ", b"QFI\xfb", 2, 0, 0, 16, 1 << 20, 0, 1, 3 * cluster, cluster, 1, 0, 0)
    blocks = [header, struct.pack(">Q", 2 * cluster), struct.pack(">4H", 1, 1, 1, 1), b""]
    path.write_bytes(b"".join(block.ljust(cluster, b"\0") for block in blocks))


REPLAY = ["break mean", "continue", "rn", "rn", "rn", "rn", "rs", "rs", "delete", "break factorial", "rc", "rc", "rc",
          "rni", "rni", "rs", "rc", "rc", "continue", "print $pc"]


def behind_qemu(trapline, program):
    """QEMU records the program, and its replay is gone back in: the same as in our machine."""
    emulator = shutil.which("qemu-system-riscv64")
    if emulator is None:
        print("skipped: qemu-system-riscv64 is not installed")
        return
    with tempfile.TemporaryDirectory() as folder:
        place = pathlib.Path(folder)
        empty_disk(place / "disk")
        command = [emulator, "-M", "virt", "-bios", "none", "-kernel", program, "-display", "none", "-serial", "null",
                   "-monitor", "none", "-net", "none", "-drive", f"file={place}/disk,if=none,id=disk"]
        clock = f"shift=7,rrfile={place}/record,rrsnapshot=begin,rr="
        run([*command, "-icount", clock + "record"], "QEMU records")
        # It listens when it has gone into the background.
        run([*command, "-icount", clock + "replay", "-S", "-gdb", f"unix:{place}/socket,server=on,wait=off", "-daemonize",
             "-pidfile", f"{place}/pid"], "QEMU replays")
        if not (place / "pid").exists():
            print("skipped: this QEMU does not replay")
            return
        text = run([trapline, "-nx", "-q", "--batch", "-ex", f"file {program}", "-ex", f"target remote unix:{place}/socket",
                    *words(REPLAY), "-ex", "kill"], "replay")
        # It takes the file away when it ends.
        if (place / "pid").exists():
            os.kill(int((place / "pid").read_text()), signal.SIGKILL)
    same("QEMU's replay", prompt(trapline, program, [], REPLAY, "replay"), text)


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
        steps_over_writes(trapline, program, options)
        recursion(trapline, program, options)
    refusals(trapline, program)
    interrupt(trapline, program)
    behind_qemu(trapline, program)
    print(f"{len(FAILED)} failed")
    return 1 if FAILED else 0


if __name__ == "__main__":
    sys.exit(main())
