#!/usr/bin/env python3
"""Scripted sessions of stock gdb against the server.

A session is a file of gdb commands in sessions/. Its head says what is served:

    #: mode WORD...     the subject's arguments (default: plain)
    #: subject NAME     the program: subject (default) or subject32
    #: extended         the server starts without a program (--multi), gdb with target extended-remote
    #: attach           the subject runs already, and the server attaches to it
    #: gdb COMMAND      said to gdb before it connects

Then, in order:

    COMMAND             said to gdb, which must come back to its prompt
    #~ REGEX            must match what gdb has said since the last match
    #& COMMAND          said to gdb, which may go on working
    #? REGEX            waits until gdb says it
    #$ REGEX            waits until the server says it, or prints it for a breakpoint command
    #= runs             waits until the subject runs: the resume that was asked for has got through
    #^ C                SIGINT for gdb; it must come back to its prompt

MARK_name stands for the line of the subject's source that is marked so; SUBJECT, SCRATCH and ADDRESS for the program, a
directory of the session's own and the server's address. Every wait has a deadline and says what was waited for.

    run.py [--server COMMAND] [SESSION...]

With --server gdbserver the sessions are held against gdbserver, which shows whether they ask for too much.
"""

import argparse
import os
import re
import select
import signal
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
BUILD = os.path.abspath(os.environ.get("TRAPLINE_BUILD", "build"))
DEADLINE = float(os.environ.get("GDB_DEADLINE", "30"))
PROMPT = "(gdb) "


class Failure(Exception):
    """The session did not go as its file says."""


class Talker:
    """A process that is talked to through pipes."""

    def __init__(self, arguments, name, **more):
        self.name, self.text, self.at = name, "", 0
        self.process = subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.STDOUT, **more)
        os.set_blocking(self.process.stdout.fileno(), False)

    def read(self, timeout):
        ready, _, _ = select.select([self.process.stdout], [], [], max(0, timeout))
        data = os.read(self.process.stdout.fileno(), 65536) if ready else None
        if data:
            self.text += data.decode("utf-8", "replace")
        return data

    def expect(self, pattern, flags=re.MULTILINE):
        deadline = time.monotonic() + DEADLINE
        while True:
            match = re.compile(pattern, flags).search(self.text, self.at)
            if match:
                self.at = match.end()
                return match
            if self.read(deadline - time.monotonic()) == b"" or time.monotonic() >= deadline:
                raise Failure(f"{self.name}: waited in vain for {pattern!r}")

    def say(self, line):
        self.text += line + "\n"
        self.process.stdin.write((line + "\n").encode())
        self.process.stdin.flush()

    def end(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        while self.read(0):
            pass


class Gdb(Talker):
    """gdb, whose prompts count how many commands it has done."""

    def __init__(self, program):
        super().__init__(["gdb", "-nx", "-q", "-ex", "set pagination off", "-ex", "set confirm off", "-ex",
                          "set width 0", "-ex", "set sysroot /", "-ex", "set remotetimeout 20", program], "gdb")
        self.prompts = 0
        self.wait_prompt("its first prompt")

    def wait_prompt(self, what):
        self.prompts += 1
        deadline = time.monotonic() + DEADLINE
        while self.text.count(PROMPT) < self.prompts:
            if self.read(deadline - time.monotonic()) == b"":
                raise Failure(f"gdb ended while {what} was due")
            if time.monotonic() >= deadline:
                raise Failure(f"gdb did not come back from {what}")

    def matched(self, pattern, start):
        """The end of a match behind `start` in what gdb has said."""
        match = re.compile(pattern, re.MULTILINE).search(self.text, start)
        if match is None:
            raise Failure(f"gdb did not say {pattern!r}")
        return match.end()


def marks():
    with open(os.path.join(HERE, "subject.c")) as file:
        return {name: f"subject.c:{number}" for number, line in enumerate(file, 1)
                for name in re.findall(r"MARK: (\w+)", line)}


class Session:
    def __init__(self, name, server, scratch):
        self.name, self.server, self.scratch = name, server, scratch
        with open(os.path.join(HERE, "sessions", name + ".gdb")) as file:
            self.lines = [line.rstrip("\n") for line in file]
        heads = [line[3:].split(None, 1) for line in self.lines if line.startswith("#: ")]
        self.mode = next((words[1].split() for words in heads if words[0] == "mode"), ["plain"])
        subject = next((words[1] for words in heads if words[0] == "subject"), "subject")
        self.extended = any(words[0] == "extended" for words in heads)
        self.attach = any(words[0] == "attach" for words in heads)
        self.before = [words[1] for words in heads if words[0] == "gdb"]
        self.subject = os.path.join(BUILD, "tests", "gdb", "gdb-" + subject)
        self.talkers = []
        self.words = {"SUBJECT": self.subject, "SCRATCH": scratch}
        self.marks = marks()

    def fill(self, line):
        for word, value in self.words.items():
            line = re.sub(rf"\b{word}\b", lambda _, v=value: v, line)
        return re.sub(r"\bMARK_(\w+)\b", lambda match: self.marks[match.group(1)], line)

    def talk(self, talker):
        self.talkers.append(talker)
        return talker

    def serve(self):
        line = [self.server]
        if self.extended:
            line += ["--multi", "localhost:0"]
        elif self.attach:
            running = self.talk(Talker([self.subject, *self.mode], "the subject"))
            line += ["--attach", "localhost:0", str(running.process.pid)]
            self.words["PID"] = str(running.process.pid)
        else:
            line += ["localhost:0", self.subject, *self.mode]
        server = self.talk(Talker(line, "the server", cwd=self.scratch))
        self.serving = server
        self.words["ADDRESS"] = "localhost:" + server.expect(r"Listening on port (\d+)").group(1)

    def run(self):
        self.serve()
        gdb = self.talk(Gdb(self.subject))
        commands = [*self.before, f"target {'extended-remote' if self.extended else 'remote'} ADDRESS"]
        for number, line in [(0, line) for line in commands] + list(enumerate(self.lines, 1)):
            try:
                self.line(gdb, self.fill(line))
            except Failure as failure:
                raise Failure(f"sessions/{self.name}.gdb:{number}: {failure}") from None
        gdb.say("quit")
        gdb.process.stdin.close()
        gdb.process.wait(DEADLINE)

    def line(self, gdb, line):
        if line.startswith("#~ "):
            gdb.at = gdb.matched(line[3:], gdb.at)
        elif line.startswith("#& "):
            gdb.say(line[3:])
        elif line.startswith("#? "):
            gdb.expect(line[3:])
        elif line.startswith("#$ "):
            self.serving.expect(line[3:])
        elif line == "#= runs":
            self.wait_running()
        elif line.startswith("#^ C"):
            gdb.process.send_signal(signal.SIGINT)
            gdb.wait_prompt("the interrupt")
        elif line and not line.startswith("#"):
            gdb.at = len(gdb.text)
            gdb.say(line)
            gdb.wait_prompt(line)

    def wait_running(self):
        """gdb says "Continuing." long before the program does; only /proc tells, and has nothing to wait on."""
        pid = int(re.findall(r"pid = (\d+)", "".join(talker.text for talker in self.talkers))[-1])
        deadline = time.monotonic() + DEADLINE
        while True:
            with open(f"/proc/{pid}/stat") as file:
                fields = file.read().rpartition(")")[2].split()
            if fields[0] in "RSD":
                return
            if time.monotonic() >= deadline:
                raise Failure(f"process {pid} never came to run; its state is {fields[0]}")
            select.select([], [], [], 0.01)

    def end(self):
        for talker in reversed(self.talkers):
            talker.end()

    def transcript(self):
        return "".join(f"---- {talker.name}:\n{talker.text}\n" for talker in self.talkers)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--server", default=os.path.join(BUILD, "trapline-gdbserver"))
    parser.add_argument("--verbose", action="store_true", help="print what was said in every session")
    parser.add_argument("session", nargs="*")
    options = parser.parse_args()
    names = options.session or sorted(name[:-4] for name in os.listdir(os.path.join(HERE, "sessions"))
                                      if name.endswith(".gdb"))
    failed = []
    for name in names:
        with tempfile.TemporaryDirectory(prefix="trapline-gdb-") as scratch:
            session = Session(name, options.server, scratch)
            try:
                if not os.path.exists(session.subject):
                    print(f"skipped {name}: no {session.subject}", flush=True)
                    continue
                session.run()
                print(f"ok {name}", flush=True)
            except (Failure, BrokenPipeError, subprocess.TimeoutExpired) as failure:
                failed.append(name)
                print(f"FAILED {name}: {failure}", flush=True)
            finally:
                session.end()
            if options.verbose or name in failed:
                print(session.transcript(), flush=True)
    print(f"{len(names) - len(failed)} passed, {len(failed)} failed")
    if failed:
        print(f"again: TRAPLINE_BUILD={BUILD} {sys.executable} {sys.argv[0]} {' '.join(failed)}")
    return 1 if failed or not names else 0


if __name__ == "__main__":
    sys.exit(main())
