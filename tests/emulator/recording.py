#!/usr/bin/env python3
"""Records runs of the bare-metal program tests/emulator/bare.c and replays them: with both executors, cut off by a
kill, damaged, saved from memory, and debugged backwards.

    recording.py TRAPLINE PROGRAM
"""

import os
import re
import shutil
import struct
import sys
import tempfile

from transcripts import FAILED, check, fail, run, words


class Prompt:
    def __init__(self, trapline):
        self.trapline = trapline

    def __call__(self, commands, *options):
        return run([self.trapline, "-nx", "-q", "--batch", *words(commands), "emu", *options], " ".join(options))


def chain(text):
    found = re.findall(r"chain ([0-9a-f]{16})", text)
    return found[-1] if found else "none"


def last_link(path):
    """Of the chain, as the file has it."""
    with open(path, "rb") as file:
        bytes_ = file.read()
    at, link = 16, 0
    while at + 16 <= len(bytes_):
        kind, size = struct.unpack_from("<II", bytes_, at)
        if kind == 7:
            link = struct.unpack_from("<Q", bytes_, at + 16 + 52)[0]
        at += 16 + size
    return f"{link:016x}"


def both_ways(prompt, program, path):
    """Recorded with one executor, replayed with both, with one and with several harts."""
    inspect = ["break main", "continue", "set var table[1] = 4", "break mean", "continue", "set var table[0] = 12", "delete",
               "continue"]
    for harts in ("1", "3"):
        for recorder in ([], ["--interpreter"]):
            text = prompt(inspect, "--record", path, "--harts", harts, *recorder, program)
            check(text, [r"Breakpoint 1, main", r"exited"], f"record {harts} {recorder}")
            chains = set()
            for replayer in ([], ["--interpreter"]):
                text = prompt(["continue", "monitor info record"], "--replay", path, *replayer)
                check(text, [r"exited", r"replayed: (\d+) of \1 epochs", r"is the run that was recorded"],
                      f"replay {harts} {recorder} {replayer}")
                chains.add(chain(text))
            if chains != {last_link(path)}:
                fail("chains", f"they differ: {chains}")


def networked(prompt, program, path):
    """Of a machine with a network that goes its own way it is said that the network leads nowhere; else it is not."""
    prompt(["continue"], "--network", "--record", path, program)
    text = prompt(["break mean", "continue", "set var table[0] = 3", "delete", "continue"], "--replay", path)
    check(text, [r"Breakpoint 1, mean", r"its network card leads nowhere", r"exited"], "a replay with a network is changed")
    if "leads nowhere" in prompt(["break mean", "continue", "delete", "continue"], "--replay", path):
        fail("a replay with a network", "it is said to lead nowhere, and is the recording's")


def reset(prompt, program, path):
    """What was before a reset and what came behind it; the chain goes on."""
    text = prompt(["break mean", "continue", "set var table[0] = 5", "monitor reset", "continue", "set var table[1] = 9", "delete",
                   "continue", "monitor info record"], "--record", path, program)
    check(text, [r"mean", r"at reset", r"mean", r"exited"], "reset while it is recorded")
    text = prompt(["continue", "monitor info record"], "--replay", path)
    check(text, [r"was reset here", r"exited", r"replayed: (\d+) of \1 epochs", r"between resets: 2 of 2"], "reset while it is replayed")
    if chain(text) != last_link(path):
        fail("chain over a reset", f"it ends with {chain(text)}, in the file with {last_link(path)}")


def debugged(prompt, path):
    text = prompt(["break mean", "continue", "print table[0]", "delete", "stepi", "set var table[0] = 3", "monitor info record",
                   "continue"], "--replay", path)
    check(text, [r"Breakpoint 1, mean", r"= [0-9]+$", r"gone its own way", r"exited"], "a replay is debugged")
    check(text, [r"a new timeline begins here"], "and changed")


def backwards(trapline, program, path):
    gdb = shutil.which("gdb-multiarch")
    if gdb is None:
        print("skipped: gdb-multiarch is not installed")
        return
    commands = [f"target remote | {trapline} --serve - --once emu --replay {path}", "break mean", "continue", "reverse-stepi",
                "reverse-finish", "delete", "reverse-continue", "info registers pc", "break mean", "continue",
                "monitor info record", "monitor info history", "kill"]
    text = run([gdb, "-nx", "-q", "-batch", *words(commands), program], "backwards")
    check(text, [r"Breakpoint 1, mean", r"No more reverse-execution history", r"^pc +0x1000", r"Breakpoint 2, mean",
                 r"is the run that was recorded", r"state at the last checkpoint: [0-9a-f]{16}$"], "backwards in a replay")


def saved(prompt, program, path):
    text = prompt(["break mean", "continue", "set var table[0] = 12", f"monitor record save {path}", "kill"], program)
    check(text, [r"\d+ bytes, [1-9]\d* inputs, \d+ epochs, chain [0-9a-f]{16}"], "saved from memory")
    before = chain(text)
    text = prompt(["continue", "print table[0]", "monitor info record", "continue"], "--replay", path)
    check(text, [r"The recording ends here", r"= 12$", r"replayed: (\d+) of \1 epochs", r"from here on the machine is live",
                 r"exited"], "replayed, and on by itself")
    if chain(text) != before:
        fail("chain of what was saved", f"{chain(text)}, not {before}")
    text = prompt(["continue", "monitor record save"], "--no-history", program)
    check(text, [r"exited"], "nothing to be saved")
    check(prompt(["monitor record save /tmp/x"], "--no-history", program), [r"nothing is remembered"], "no history")


def killed(prompt, program, path):
    """What was there at the kill is good."""
    prompt(["break mean", "continue", "set var table[0] = 12", "shell kill -9 $PPID"], "--record", path, program)
    text = prompt(["continue", "print table[0]", "backtrace 1", "continue"], "--replay", path)
    check(text, [r"was not ended: the file ends", r"The recording ends here", r"= 12$", r"mean", r"live", r"exited"],
          "killed while it recorded")


def damaged(prompt, program, path):
    prompt(["break mean", "continue", "set var table[0] = 12", "delete", "continue"], "--record", path, program)
    with open(path, "rb") as file:
        whole = file.read()
    for at in range(0, len(whole), 97):
        with open(path, "wb") as file:
            file.write(whole[:at] + bytes([whole[at] ^ 0x10]) + whole[at + 1:])
        text = prompt(["continue"], "--replay", path)
        if not re.search(r"this is no recording|of version|not even the machine is whole|was not ended: it is damaged|"
                         r"was not ended: it ends in the middle", text):
            fail(f"damage at {at}", text)
    for size in (0, 3, 17, 200, len(whole) // 2, len(whole) - 1):
        with open(path, "wb") as file:
            file.write(whole[:size])
        text = prompt(["continue"], "--replay", path)
        if not re.search(r"this is no recording|not even the machine is whole|was not ended", text):
            fail(f"cut at {size}", text)
    print("ok damaged")


def refused(prompt, program, path):
    for options, wanted in (((["--replay", "/no/such"]), r"/no/such cannot be opened: No such file"),
                          (["--replay", "/"], r"/ is no recording"),
                          (["--replay", program], r"this is no recording of a machine"),
                          (["--replay", path, "--harts", "2"], r"the recording says what the machine is made of"),
                          (["--replay", path, "--record", path], r"a replay is recorded already"),
                          (["--record", path, "--no-history", program], r"want the machine to remember"),
                          (["--record", "/no/such/folder/file", program], r"cannot be written: No such file")):
        check(prompt([], *options), [wanted], " ".join(options[:1] + options[-1:]))


def disks(prompt, program, folder):
    """A disk is known by what is on it, wherever it is."""
    disk, other, path = (os.path.join(folder, name) for name in ("disk", "other", "recording"))
    with open(disk, "wb") as file:
        file.write(b"something" * 1024)
    prompt(["continue"], "--disk", disk, "--record", path, program)
    check(prompt(["continue"], "--replay", path), [r"exited"], "with its disk")
    os.rename(disk, other)
    check(prompt(["continue"], "--replay", path), [r"cannot open the disk"], "without its disk")
    check(prompt(["continue"], "--replay", path, "--disk", other), [r"exited"], "with its disk elsewhere")
    with open(other, "r+b") as file:
        file.write(b"S")
    check(prompt(["continue"], "--replay", path, "--disk", other), [r"is not what it was"], "with another disk")
    check(prompt(["continue"], "--disk", other + ",write", "--record", path, program), [r"cannot be recorded"],
          "a disk that is written through")


def main():
    trapline, program = sys.argv[1:]
    prompt = Prompt(trapline)
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "run")
        both_ways(prompt, program, path)
        debugged(prompt, path)
        networked(prompt, program, os.path.join(folder, "network"))
        reset(prompt, program, os.path.join(folder, "reset"))
        backwards(trapline, program, path)
        saved(prompt, program, os.path.join(folder, "saved"))
        killed(prompt, program, os.path.join(folder, "killed"))
        damaged(prompt, program, os.path.join(folder, "damaged"))
        refused(prompt, program, path)
        disks(prompt, program, folder)
    return 1 if FAILED else 0


if __name__ == "__main__":
    sys.exit(main())
