#!/usr/bin/env python3
"""Debugs the bare-metal program tests/emulator/bare.c on the emulated machine: at the prompt, and with gdb-multiarch.

    debug.py TRAPLINE PROGRAM
"""

import os
import shutil
import signal
import sys
import tempfile

from transcripts import FAILED, check, fail, run, words

def at_the_prompt(trapline, program, options):
    commands = ["break main", "continue", "break add", "continue", "backtrace", "finish", "break factorial if n == 2",
                "continue", "backtrace", "delete", "break swap", "continue", "finish", "watch table[0]", "continue",
                "monitor info hit", "delete", "break mean", "continue", "print *list", "finish", "next", "x/i $pc",
                "monitor info harts", "info threads", "info registers priv", "monitor info counters", "continue"]
    text = run([trapline, "-nx", "-q", "--batch", *words(commands), "emu", *options, program], "prompt")
    check(text, [r"^Breakpoint 1, main \(\) at .*bare\.c:86", r"add \(a=2, b=3\)", r"^#1 .* in main \(\)",
                 r"^Value returned is \$1 = 5", r"factorial \(n=2\)", r"^#0  factorial \(n=2\)",
                 r"^#3 .* in factorial \(n=5\)", r"^#4 .* in main \(\)", r"= {first = 2, second = 1}",
                 r"^Old value = 7", r"^New value = 3", r"hart 0 wrote 8 bytes at 0x[0-9a-f]+: 0x7 -> 0x3",
                 r"{x = 0, y = 0, weight = 0\.5, next = 0x[0-9a-f]+ <points\+32>}", r"^Value returned is \$\d = 2$",
                 r"auipc", r"hart 0 .* machine mode", r'^\* 1 +hart 0 "machine" ', r"^priv +0x3 +prv:3 \[Machine\]$",
                 r"^sorted", r"exited normally"], " ".join(["prompt", *options]))


def with_gdb(trapline, program, options):
    gdb = shutil.which("gdb-multiarch")
    if gdb is None:
        print("skipped: gdb-multiarch is not installed")
        return
    serve = f"target remote | {trapline} --serve - --once emu --harts 2 {' '.join(options)} {program}"
    commands = [serve, "info threads", "break main", "continue", 'eval "monitor break physical %lu", (long) &add', "continue",
                'eval "monitor delete physical %lu", (long) &add', "set scheduler-locking on", "break other_hart",
                "thread 2", "continue", "info threads", "delete", "watch others", "continue", "monitor info hit", "delete",
                "awatch table[1]", "thread 1", "continue", "backtrace", "maintenance packet qqemu.sstepbits", "maintenance packet Qqemu.sstep:1",
                "maintenance packet qqemu.sstep", "maintenance packet Qqemu.PhyMemMode:1", "monitor info points", "kill"]
    text = run([gdb, "-nx", "-q", "-batch", *words(commands), program], "gdb")
    check(text, [r'"hart 0, machine"', r'"hart 1, machine"', r"hit Breakpoint 1, main|Breakpoint 1, main",
                 r"received signal SIGTRAP.*\n.*add \(", r"Breakpoint 2, other_hart",
                 r"\* 2 .*hart 1", r"Old value = 0\nNew value = 1", r"hart 1 wrote 8 bytes",
                 r"table\[1\]\n\n(Old )?[Vv]alue = 3", r"^#1 .* in main",
                 r"ENABLE=1,NOIRQ=2", r"\"OK\"", r"\"0x1\"", r"\"OK\"", r"killed"], " ".join(["gdb", *options]))


def back_with_gdb(trapline, program, options):
    """The same program to its middle, and back to where it came from. Steps hold interrupts, which counts as input."""
    gdb = shutil.which("gdb-multiarch")
    if gdb is None:
        return
    serve = f"target remote | {trapline} --serve - --once emu {' '.join(options)} {program}"
    commands = [serve, "break factorial if n == 2", "continue", "stepi", "stepi", "reverse-stepi", "reverse-stepi", "backtrace 1",
                "reverse-finish", "reverse-finish", "backtrace 1", "delete", "watch table[0]", "continue", "continue",
                "reverse-continue", "print table[0]", "reverse-continue", "print table[0]", "reverse-continue", "info registers pc",
                "continue", "continue", "monitor info history", "delete", "break sort", "reverse-continue", "print table[0] = 99",
                "print table[0]", "monitor info history", "delete", "reverse-continue", "print table[0]", "continue"]
    text = run([gdb, "-nx", "-q", "-batch", *words(commands), program], "back")
    check(text, [r"^Breakpoint 1, factorial \(n=2\)", r"^#0  factorial \(n=2\)", r"^#0 .* factorial \(n=[34]\)",
                 r"Old value = 7\nNew value = 3", r"Old value = 3\nNew value = 1",
                 r"Old value = 1\nNew value = 3", r"= 3$", r"Old value = 3\nNew value = 7", r"= 7$",
                 r"No more reverse-execution history", r"^pc +0x1000", r"Old value = 7\nNew value = 3",
                 r"Old value = 3\nNew value = 1", r"checkpoints: \d+, inputs: [1-9]", r"Breakpoint 3, sort",
                 r"a new timeline begins here", r"= 99$", r"inputs: [1-9]", r"No more reverse-execution history", r"= 7$",
                 r"exited normally"], " ".join(["back", *options]))
    if "THE PAST WAS NOT THE SAME" in text:
        fail("back", text)


def through_each_hart(trapline, program, options):
    """Memory is as the selected hart has it: the second one gets a page table, which maps the first gigabyte onto memory."""
    commands = ["break main", "continue", "set {long}0x80010000 = 0x200000cf", "thread 2", "set $satp = 0x8000000000080010", "set $priv = 1", "set $pmpaddr0 = -1", "set $pmpcfg0 = 31", "x/xw 0",
                "thread 1", "x/xw 0x80000000", "x/xw 0", "thread 2", "x/xw 0x80000000", "monitor eye 0", "x/xw 0x80000000",
                "monitor eye auto", "x/xw 0", "maintenance packet Qqemu.PhyMemMode:1", "x/xw 0x80000000"]
    word = r"0x0+297"  # auipc t0, the first instruction
    physical = [rf"0x80000000[^:]*:\s+{word}"]
    patterns = [rf"^0x0:\s+{word}", rf"0x80000000[^:]*:\s+{word}", "Cannot access memory at address 0x0",
                "Cannot access memory at address 0x80000000", rf"0x80000000[^:]*:\s+{word}", rf"^0x0:\s+{word}"]
    text = run([trapline, "-nx", "-q", "--batch", *words(commands[:-2]), "emu", "--harts", "2", *options, program], "eyes")
    check(text, patterns, " ".join(["eyes, prompt", *options]))
    serve = f"target remote | {trapline} --serve - --once emu --harts 2 {' '.join(options)} {program}"
    text = run([trapline, "-nx", "-q", "--batch", *words([f"file {program}", serve, *commands]), "--quiet"], "eyes")
    check(text, patterns + physical, " ".join(["eyes, the prompt over the wire", *options]))
    if shutil.which("gdb-multiarch"):
        text = run(["gdb-multiarch", "-nx", "-q", "-batch", *words([serve, *commands]), program], "eyes")
        check(text, patterns + physical, " ".join(["eyes, gdb", *options]))


WATCHED = ["break add", "continue", "watch shared", "delete 1", "continue", "x/2i $pc - 2", "delete", "break sort", "continue", "delete",
           "rwatch table[1]", "awatch table[2]", "continue", "x/i $pc", "continue", "x/i $pc", "continue", "x/i $pc"]
HITS = [r"^Old value = 0\nNew value = 5", r"bare\.c:39", r"\tsd\t.*\n=> .*\tld\t",
        r"watchpoint 4: table\[1\]\n\nValue = 3", r"=> .*<sort\+152>", r"^Value = 3", r"=> .*<sort\+48>", r"^Value = 7",
        r"=> .*<sort\+138>"]


def watched(trapline, program, options):
    """A hit is behind its access, whoever drives and wherever the server stands."""
    serve = f"target remote | {trapline} --serve - --once emu {' '.join(options)} {program}"
    text = run([trapline, "-nx", "-q", "--batch", *words(WATCHED), "emu", *options, program], "watched")
    check(text, HITS, " ".join(["watched, prompt", *options]))
    text = run([trapline, "-nx", "-q", "--batch", *words([f"file {program}", serve, *WATCHED])], "watched")
    check(text, HITS, " ".join(["watched, the prompt over the wire", *options]))
    if shutil.which("gdb-multiarch"):
        text = run(["gdb-multiarch", "-nx", "-q", "-batch", *words([serve, *WATCHED]), program], "watched")
        check(text, HITS, " ".join(["watched, gdb", *options]))


def watched_in_qemu(trapline, program):
    """QEMU stops in front of the access, as gdb expects of this processor."""
    emulator = shutil.which("qemu-system-riscv64")
    if emulator is None:
        print("skipped: qemu-system-riscv64 is not installed")
        return
    with tempfile.TemporaryDirectory() as folder:
        # It listens when it has gone into the background.
        run([emulator, "-M", "virt", "-bios", "none", "-kernel", program, "-display", "none", "-serial", "null", "-monitor", "none",
             "-net", "none", "-S", "-gdb", f"unix:{folder}/socket,server=on,wait=off", "-daemonize", "-pidfile", f"{folder}/pid"], "QEMU")
        text = run([trapline, "-nx", "-q", "--batch", *words([f"file {program}", f"target remote unix:{folder}/socket", *WATCHED, "kill"])],
                   "watched")
        # It takes the file away when it ends.
        if os.path.exists(f"{folder}/pid"):
            with open(f"{folder}/pid", encoding="ascii") as file:
                os.kill(int(file.read()), signal.SIGKILL)
    check(text, HITS, "watched, the prompt behind QEMU")


def refused(trapline, program):
    """--running without anybody who could come later."""
    for words_before, reason in (["--serve", "-"], "serve at a port or a socket"), ([], "is for --serve"):
        text = run([trapline, *words_before, "emu", "--running", program], "running")
        check(text, [reason], " ".join(["refused: --running", *words_before]))


def serial_ports(trapline, program):
    """At the prompt, too, the serial port leads where it was told to."""
    command = [trapline, "-nx", "-q", "--batch", "-ex", "continue", "emu", "--serial"]
    check(run([*command, "-", program], "serial"), [r"^sorted", r"exited normally"], "serial port: here")
    text = run([*command, "none", program], "serial")
    check(text, [r"exited normally"], "serial port: none")
    if "sorted" in text:
        fail("serial port: none", text)
    check(run([*command, "/no/such", program], "serial"), [r"the terminal /no/such cannot be opened: No such file"], "serial port: nowhere")
    master, terminal = os.openpty()
    text = run([*command, os.ttyname(terminal), program], "serial")
    check(text, [r"exited normally"], "serial port: a terminal")
    os.set_blocking(master, False)
    check(os.read(master, 65536).decode(), [r"sorted"], "serial port: what the terminal shows")
    os.close(master)
    os.close(terminal)


def main():
    trapline, program = sys.argv[1:]
    refused(trapline, program)
    for options in ([], ["--interpreter"]):
        at_the_prompt(trapline, program, options)
        with_gdb(trapline, program, options)
        back_with_gdb(trapline, program, options)
        through_each_hart(trapline, program, options)
        watched(trapline, program, options)
    watched_in_qemu(trapline, program)
    serial_ports(trapline, program)
    return 1 if FAILED else 0


if __name__ == "__main__":
    sys.exit(main())
