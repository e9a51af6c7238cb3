"""Debuggers at their prompts, at a terminal or a pipe: what is typed, and how long until the prompt is back.

Three dialects: gdb's, ours (which is gdb's) and lldb's. A debugger that does not answer within its deadline is killed,
and what it said last is the reason why its figure is missing.
"""

import os
import pty
import re
import select
import signal
import subprocess
import time

MARKER = 4711471147  # bench_marker in bench/fixtures/lines.c
CHUNK = 1 << 16
QUIET = 1


def start_at_terminal(command, environment, begin):
    """(process id, descriptor to read from, descriptor to write to)."""
    process, terminal = pty.fork()
    if process == 0:
        try:
            begin()
            os.execve(command[0], command, environment)
        finally:
            os._exit(127)
    return process, terminal, os.dup(terminal)


def start_at_pipe(command, environment, begin):
    process = subprocess.Popen(command, env=environment, preexec_fn=begin, stdin=subprocess.PIPE,
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT, bufsize=0, start_new_session=True)
    process.returncode = 0  # who waits for it is Debugger
    return process.pid, os.dup(process.stdout.fileno()), os.dup(process.stdin.fileno())


def children_of(process):
    children = []
    for entry in os.listdir('/proc'):
        try:
            with open(f'/proc/{entry}/stat', encoding='ascii', errors='replace') as file:
                if entry.isdigit() and int(file.read().rpartition(')')[2].split()[1]) == process:
                    children.append(int(entry))
        except (OSError, IndexError):
            pass
    return children


class NoAnswer(Exception):
    """The debugger ended, or said nothing for too long, or something that cannot be right."""


class Gdb:
    """How to say it to gdb; our prompt takes the same."""
    prompt = b'(gdb) '
    started = stopped = None  # what must have been said before a prompt counts; None: the first one does
    settings = ('set confirm off', 'set height 0', 'set width 0')
    share = 1  # of the hits and steps that a row counts: a slow one shows its speed with fewer
    waits_for_stops = True  # before it takes the next line of its input

    def command(self, path, program, arguments, options=()):
        return [path, '-nx', '-q', *options, '--args', program, *arguments]

    def keeping(self, folder):
        """Options to keep what was found out about a program in this folder ($XDG_CACHE_HOME), and to take it from there."""
        return ('-iex', 'set index-cache enabled on')

    def break_at(self, function, condition=''):
        return f'break {function}' + (f' if {condition}' if condition else '')

    def value_of(self, variable):
        return f'print {variable}'

    run = 'run'
    go_on = 'continue'
    step_over = 'next'
    step = 'step'
    delete = 'delete'
    backtrace = 'backtrace'
    backtraces = 'thread apply all backtrace'
    describe_task = 'ptype struct task_struct'
    leave = ('kill', 'quit')


class Trapline(Gdb):
    prompt = b'(trapline) '

    def keeping(self, folder):
        return ()  # it does


class Lldb(Gdb):
    prompt = b'(lldb) '
    started = re.compile(rb'Current executable set to|error:')
    stopped = re.compile(rb'stop reason = |exited with status|error:')
    settings = ('settings set auto-confirm true',)
    share = 0.1
    waits_for_stops = False

    def command(self, path, program, arguments, options=()):
        return [path, '--no-lldbinit', *options, '--', program, *arguments]

    def keeping(self, folder):
        return ('-O', 'settings set symbols.enable-lldb-index-cache true',
                '-O', f'settings set symbols.lldb-index-cache-path {folder}')

    def break_at(self, function, condition=''):
        return f'breakpoint set -n {function}' + (f" -c '{condition}'" if condition else '')

    def value_of(self, variable):
        return f'target variable {variable}'

    run = 'process launch'
    step_over = 'thread step-over -m all-threads'
    delete = 'breakpoint delete'
    backtrace = 'thread backtrace'
    backtraces = 'thread backtrace all'
    describe_task = 'type lookup task_struct'
    leave = ('process kill', 'quit')


DIALECTS = {'gdb': Gdb(), 'lldb': Lldb(), 'trapline': Trapline()}


class Debugger:
    """One at work. Every method that types something returns the seconds until the prompt was back."""

    def __init__(self, name, path, program, arguments=(), cpus=None, environment=None, deadline=60, piped=False,
                 options=()):
        """`cpus`: where it and the program run; None: anywhere. `piped`: no terminal, as for a script."""
        self.dialect = DIALECTS[name]
        self.deadline = deadline
        self.said = bytearray()
        self.mark = 0  # where in `said` the answer to the last command begins
        self.launched = False
        command = self.dialect.command(path, str(program), [str(word) for word in arguments], options)
        start = start_at_pipe if piped else start_at_terminal
        self.born = time.monotonic()
        self.process, self.output, self.input = start(command, environment or dict(os.environ),
                                                      lambda: cpus and os.sched_setaffinity(0, cpus))
        try:
            self.time_to_prompt = self.wait(self.dialect.started) - self.born
        except NoAnswer:
            self.end()
            raise

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        try:
            if kind is None:
                if self.launched:
                    self.type(self.dialect.leave[0])
                os.write(self.input, self.dialect.leave[1].encode() + b'\n')
                self.wait_for_end()
        except (NoAnswer, OSError):
            pass
        finally:
            self.end()

    def end(self):
        """Whatever is left of it and of the program that it started goes."""
        if self.process:
            for child in [*children_of(self.process), self.process]:
                try:
                    os.kill(child, signal.SIGKILL)
                except ProcessLookupError:
                    pass
            os.waitpid(self.process, 0)
        os.close(self.output)
        os.close(self.input)
        self.process = 0

    def read(self, until):
        """More of what it says; False when nothing more came until then."""
        ready, _, _ = select.select([self.output], [], [], max(0, until - time.monotonic()))
        if not ready:
            return False
        try:
            data = os.read(self.output, CHUNK)
        except OSError:
            data = b''
        if not data:
            raise NoAnswer(f'it ended: …{self.last_words()}')
        self.said += data
        return True

    def last_words(self):
        return ' '.join(bytes(self.said[-300:]).decode(errors='replace').split())[-120:]

    def wait(self, before=None):
        """
        Until the prompt is the last thing said, and, if that is asked, `before` was said; when that was. A prompt that
        something was said behind counts too, once nothing more comes for QUIET seconds.
        """
        until = time.monotonic() + self.deadline
        at, seen = (self.mark if before is None else None), None
        while self.read(min(until, time.monotonic() + QUIET) if seen else until):
            if at is None:
                found = before.search(self.said, self.mark)
                at = found and found.end()
            if at is not None and self.said.find(self.dialect.prompt, max(at, len(self.said) - CHUNK)) >= 0:
                seen = time.monotonic()
                if self.said.endswith(self.dialect.prompt):
                    return seen
        if seen is None:
            raise NoAnswer(f'no answer within {self.deadline} s: …{self.last_words()}')
        return seen

    def wait_for_end(self):
        """After `quit`: lets it go by itself, killing what it started."""
        until = time.monotonic() + self.deadline
        try:
            while self.read(until):
                continue
        except NoAnswer:
            pass
        for _ in range(100):
            if os.waitpid(self.process, os.WNOHANG)[0]:
                self.process = 0
                return
            select.select([], [], [], 0.05)

    def type(self, command, before=None):
        self.mark = len(self.said)
        begin = time.monotonic()
        os.write(self.input, command.encode() + b'\n')
        return self.wait(before) - begin

    def set_up(self):
        for command in self.dialect.settings:
            self.type(command)

    def break_at(self, function, condition=''):
        return self.type(self.dialect.break_at(function, condition))

    def expect(self, pattern, what):
        if not re.search(pattern, self.said[self.mark:]):
            raise NoAnswer(f'{what}: …{self.last_words()}')

    def go(self, command, function=''):
        """A command that runs the program until it stops; in this function, if one is named."""
        self.launched = True
        seconds = self.type(command, self.dialect.stopped)
        if function:
            self.expect(rb'\b' + function.encode() + rb'\b', f'{command} did not stop in {function}')
        return seconds

    def run(self, function):
        return self.go(self.dialect.run, function)

    def go_on(self, function):
        return self.go(self.dialect.go_on, function)

    def value_of(self, variable):
        self.type(self.dialect.value_of(variable))
        found = re.findall(rb'= (-?\d+)', self.said[self.mark:])
        if not found:
            raise NoAnswer(f'{variable} has no value: …{self.last_words()}')
        return int(found[-1])

    def several(self, command, times):
        """So many of one command in one go; one after the other where the debugger does not wait for its stops."""
        if not self.dialect.waits_for_stops:
            return sum(self.go(command) for _ in range(times))
        last = self.dialect.value_of('bench_marker')
        return self.type('\n'.join([command] * times + [last]), re.compile(rb'= %d\b' % MARKER))

    def peak_memory(self):
        """MiB that it had resident at most."""
        with open(f'/proc/{self.process}/status', encoding='ascii') as file:
            return next(int(line.split()[1]) / 1024 for line in file if line.startswith('VmHWM'))
