"""Two debuggers in lockstep: one command to both, its two answers, and whether they still stand at the same place.

A debugger here is a process that reads commands from a pipe; what it says up to a mark that it is asked to echo is the
answer. The program has a pseudo terminal of its own, so that nothing that it prints gets into an answer. Every wait has
a deadline.
"""

import os
import pathlib
import pty
import re
import select
import subprocess
import threading
import time
import tty

# gdb has the C++ library's printers from the library, which is not asked: values are compared as the structs that they are.
SETTINGS = '''set prompt
set confirm off
set pagination off
set width 0
set height 0
set print frame-arguments all
set breakpoint pending off
set disable-randomization on
set startup-with-shell off
unset environment
set print raw-values on
'''
GDB = ['gdb', '-nx', '-q', '-iex', 'set auto-load off', '-iex', 'set debuginfod enabled off']
# As a person's would be: texts in which a character is more than a byte. The home is none that root could create and keep
# indexes in.
ENVIRONMENT = {'LC_ALL': 'C.UTF-8', 'PATH': '/usr/bin:/bin', 'HOME': '/dev/null'}


class Ended(Exception):
    """The debugger is gone."""


class Hung(Exception):
    """No answer within the deadline."""


class Terminal:
    """A pseudo terminal for the program, read so that it never blocks, and what was read forgotten."""

    def __init__(self):
        self.master, slave = pty.openpty()
        tty.setraw(slave)
        self.name = os.ttyname(slave)
        self.slave = slave
        self.ending = os.pipe()
        self.thread = threading.Thread(target=self.drain, daemon=True)
        self.thread.start()

    def drain(self):
        while True:
            ready, _, _ = select.select([self.master, self.ending[0]], [], [])
            if self.ending[0] in ready:
                return
            try:
                os.read(self.master, 65536)
            except OSError:
                return

    def close(self):
        os.close(self.ending[1])
        self.thread.join()
        for descriptor in (self.master, self.slave, self.ending[0]):
            os.close(descriptor)


class Debugger:
    def __init__(self, name, command, environment, log=None):
        self.name, self.log = name, log
        self.count = 0
        self.rest = b''
        self.secrets = []
        self.terminal = Terminal()
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                        env=ENVIRONMENT, start_new_session=True)
        for line in SETTINGS.splitlines():
            self.ask(line, 60)
        for key, value in environment.items():
            self.ask(f'set environment {key} {value}')
        self.ask(f'set inferior-tty {self.terminal.name}')

    def ask(self, command, deadline=30):
        """What is said to a command, without prompts."""
        self.count += 1
        mark = f'@@@{self.count}@'
        try:
            self.process.stdin.write(f'{command}\necho {mark}\\n\n'.encode())
            self.process.stdin.flush()
        except (BrokenPipeError, OSError):
            raise Ended(self.said(self.rest)) from None
        answer = self.said(self.read_until(mark.encode() + b'\n', deadline))
        if self.log:
            self.log.write(f'({self.name}) {command}\n{answer}\n')
        return answer

    def read_until(self, mark, deadline):
        end = time.monotonic() + deadline
        while mark not in self.rest:
            ready, _, _ = select.select([self.process.stdout], [], [], max(0, end - time.monotonic()))
            if not ready:
                raise Hung(self.said(self.rest[-2000:]))
            more = os.read(self.process.stdout.fileno(), 1 << 20)
            if not more:
                raise Ended(self.said(self.rest[-4000:]))
            self.rest += more
        answer, _, self.rest = self.rest.partition(mark)
        return answer

    @staticmethod
    def said(answer):
        return re.sub(r'^(\((gdb|trapline)\) )+', '', answer.decode(errors='backslashreplace'), flags=re.MULTILINE)

    def where(self):
        """The selected thread's place, or '' where nothing runs."""
        if self.process.poll() is not None:
            return ''
        return re.sub(r'\$\d+ = ', '', self.ask('print/x $pc') + self.ask('print/x $sp')).replace('\n', ' ').strip()

    def hide_numbers(self, answer):
        """Numbers of the program's process and threads, as decimal numbers anywhere: each debugger has its own."""
        for child in children(self.process.pid):
            answer = re.sub(rf'(?<![+<\w]){child}\b', 'PID', answer)
        return self.hide_secrets(answer)

    def hide_secrets(self, answer):
        """What the kernel rolls dice for when a program begins: the words against which stacks and pointers are held."""
        if not self.secrets and children(self.process.pid):
            for place in ('$fs_base+0x28', '$fs_base+0x30'):
                found = re.search(r'= 0x([0-9a-f]{9,16})\b', self.ask(f'print/x *(unsigned long *)({place})'))
                if found:
                    self.secrets.append(int(found[1], 16))
            self.secrets = self.secrets or self.narrow_secrets()
        for secret in self.secrets:
            for text in (f'0x{secret:x}', str(secret), f'{secret:b}', str(secret - (1 << 32))):
                answer = re.sub(rf'(?<!\w){text}(?!\w)', 'SECRET', answer)
        return answer

    def narrow_secrets(self):
        """Those of a 32-bit program, which has no $fs_base, from where the C library takes them."""
        found = re.search(r'AT_RANDOM .*(0x[0-9a-f]+)', self.ask('info auxv'))
        words = re.findall(r'\b0x[0-9a-f]{8}\b', self.ask(f'x/2xw {found[1]}').partition(':')[2]) if found else []
        return [int(word, 16) & mask for word, mask in zip(words, (0xffffff00, 0xffffffff))]

    def close(self):
        try:
            self.ask('kill', 10)
            self.process.stdin.write(b'quit\n')
            self.process.stdin.close()
            self.process.wait(10)
        except (Ended, Hung, BrokenPipeError, OSError, subprocess.TimeoutExpired):
            self.process.kill()
        self.process.wait()
        self.process.stdout.close()
        self.terminal.close()
        return self.process.returncode


class Pair:
    """gdb and trapline over the same program."""

    def __init__(self, trapline, program, arguments, environment, log=None):
        self.program = program
        self.left = self.right = None
        try:
            self.left = Debugger('gdb', GDB + [program], environment, log)
            # It calls malloc in the program to give an array a place, which changes what is below the stack.
            self.left.ask('set may-call-functions off')
            self.right = Debugger('trapline', [trapline, '-nx', '-q', program], environment, log)
            if arguments:
                self.tell('set args ' + ' '.join(arguments))
        except BaseException:
            self.close()
            raise

    def tell(self, command):
        """A command whose answers are not compared."""
        return self.left.ask(command, 120), self.right.ask(command, 120)

    def ask(self, command, deadline=60):
        """The two answers. Ours comes as a sentence of its own where there is none."""
        theirs = self.left.ask(command, deadline)
        try:
            ours = self.right.ask(command, deadline)
        except Hung as hung:
            ours = f'*** no answer in {deadline} s: {hung}'
        except Ended as ended:
            ours = f'*** trapline ended: {ended}'
        if theirs != ours:
            theirs, ours = self.left.hide_numbers(theirs), self.right.hide_numbers(ours)
        return normalise(theirs), normalise(ours)

    def together(self):
        return self.left.where() == self.right.where()

    def close(self):
        for one in (self.left, self.right):
            if one:
                one.close()


def children(number):
    """Processes that a process started, and their threads."""
    found = []
    for task in pathlib.Path(f'/proc/{number}/task').glob('*/children'):
        try:
            for child in task.read_text().split():
                found += [child] + [thread.name for thread in pathlib.Path(f'/proc/{child}/task').glob('*')]
        except OSError:
            pass
    return found


def normalise(answer):
    """What differs from one run to the next, or counts what was said before: numbers of processes, threads, values."""
    answer = re.sub(r'\bLWP \d+', 'LWP N', answer)
    answer = re.sub(r'process \d+', 'process N', answer)
    answer = re.sub(r'^(Value returned is )?\$\d+ = ', r'\1$N = ', answer, flags=re.MULTILINE)
    answer = re.sub(r'\b([Bb]reakpoint) \d+( at|,)', r'\1 N\2', answer)
    # Said once by ours, besides what gdb says of a file that is not there.
    answer = re.sub(r'^\(Where is .*\n?', '', answer, flags=re.MULTILINE)
    answer = re.sub(r'^(\[Thread debugging using libthread_db|Using host libthread_db library).*\n?', '', answer,
                    flags=re.MULTILINE)
    # Threads come and go beside the one that is looked at, and are told of when they are heard of.
    answer = re.sub(r'^\[(New Thread .*|Thread .* exited)\]\n?', '', answer, flags=re.MULTILINE)
    # gdb says that once of a program that a build has just made.
    answer = re.sub(r'^warning: Source file is more recent than executable\.\n?', '', answer, flags=re.MULTILINE)
    return '\n'.join(line.rstrip() for line in answer.strip('\n').splitlines())
