"""Drives `trapline` as a person does, through a pseudo terminal, or as a script does, through pipes.

A terminal here is a process behind a pty and the screen that a person would see: keys go in, and `wait_for` looks at
the screen until something is there. Nothing sleeps: every wait is for output and has a deadline, after which the test
fails with the screen as it is. Cases are functions whose names begin with test_; the last line counts them.
"""

import fcntl
import os
import pathlib
import pty
import re
import select
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import time
import traceback

BUILD = pathlib.Path(os.environ.get('TRAPLINE_BUILD', 'build')).resolve()
TRAPLINE = BUILD / 'trapline'
DEADLINE = 20  # seconds; machines are slow under sanitizers, and a test that passes does not wait for it
PROMPT = '(trapline) '


class Failure(Exception):
    pass


class Screen:
    """What a terminal shows: as much of VT100 as readline and we use; anything else is a failure."""

    SEQUENCE = re.compile(r'\x1b(?:\[([?0-9;]*)([@-~])|([=>()78MDEcH])(?<!\()|\][^\x07]*\x07|\([AB0])')

    def __init__(self, rows, columns):
        self.rows, self.columns = rows, columns
        self.lines = [[]]  # scrolled ones too; the last `rows` are visible
        self.row = self.column = 0  # row: index in lines
        self.wrap = False
        self.rest = ''
        self.text = ''  # all that came, without sequences

    def put(self, character):
        if self.wrap:
            self.row, self.column, self.wrap = self.row + 1, 0, False
        self.reach()
        line = self.lines[self.row]
        line.extend(' ' * (self.column + 1 - len(line)))
        line[self.column] = character
        self.column += 1
        if self.column == self.columns:
            self.column, self.wrap = self.columns - 1, True

    def reach(self):
        while len(self.lines) <= self.row:
            self.lines.append([])

    def erase(self, how):
        self.reach()
        line = self.lines[self.row]
        if how == 0:
            del line[self.column:]
        elif how == 1:
            line[:self.column + 1] = ' ' * (self.column + 1)
        else:
            line.clear()

    def sequence(self, numbers, letter):
        if numbers.startswith('?') or letter in 'mhlrt':
            return
        values = [int(number or 0) for number in numbers.split(';')]
        count = values[0] or 1
        top = max(0, len(self.lines) - self.rows)
        self.wrap = False
        if letter == 'A':
            self.row = max(top, self.row - count)
        elif letter == 'B':
            self.row += count
        elif letter == 'C':
            self.column = min(self.columns - 1, self.column + count)
        elif letter == 'D':
            self.column = max(0, self.column - count)
        elif letter == 'G':
            self.column = count - 1
        elif letter == 'H':
            self.row, self.column = top + count - 1, (values[1] if len(values) > 1 and values[1] else 1) - 1
        elif letter == 'K':
            self.erase(values[0])
        elif letter == 'J':
            self.erase(0 if values[0] == 0 else 2)
            if values[0] == 0:
                del self.lines[self.row + 1:]
            else:
                self.lines = self.lines[:top] + [[]]
        elif letter == 'P':
            del self.lines[self.row][self.column:self.column + count]
        elif letter == '@':
            self.lines[self.row][self.column:self.column] = ' ' * count
        else:
            raise Failure(f'a control sequence that the test does not know: {numbers}{letter}')
        self.reach()

    def feed(self, text):
        text, self.rest = self.rest + text, ''
        at = 0
        while at < len(text):
            character = text[at]
            if character == '\x1b':
                found = self.SEQUENCE.match(text, at)
                if not found:
                    self.rest = text[at:]
                    return
                if found[2]:
                    self.sequence(found[1], found[2])
                at = found.end()
                continue
            if character == '\n':
                self.row, self.wrap = self.row + 1, False
                self.reach()
                self.text += '\n'
            elif character == '\r':
                self.column, self.wrap = 0, False
            elif character == '\b':
                self.column, self.wrap = max(0, self.column - 1), False
            elif character == '\t':
                self.column = min(self.columns - 1, self.column + 8 - self.column % 8)
            elif character >= ' ':
                self.put(character)
                self.text += character
            at += 1

    def visible(self):
        return [''.join(line).rstrip(' ') for line in self.lines[-self.rows:]]

    def cursor_line(self):
        self.reach()
        return ''.join(self.lines[self.row])

    def whole(self):
        return '\n'.join(''.join(line).rstrip(' ') for line in self.lines)


def environment(home, **more):
    kept = {name: os.environ[name] for name in ('PATH', 'LD_LIBRARY_PATH', 'ASAN_OPTIONS', 'UBSAN_OPTIONS',
                                                'TSAN_OPTIONS', 'TMPDIR') if name in os.environ}
    return {**kept, 'HOME': str(home), 'TERM': 'xterm', 'LANG': 'C.UTF-8', 'SHELL': '/bin/sh', 'INPUTRC': '/dev/null',
            **more}


class Terminal:
    """trapline behind a pty."""

    def __init__(self, *arguments, home, rows=24, columns=80, cwd=None, command=None, **more):
        self.screen = Screen(rows, columns)
        self.raw = b''
        self.status = None
        self.mark = 0
        self.pid, self.master = pty.fork()
        if self.pid == 0:
            try:
                os.chdir(cwd or home)
                fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack('HHHH', rows, columns, 0, 0))
                os.execve(command or TRAPLINE, [str(command or TRAPLINE), *map(str, arguments)], environment(home, **more))
            finally:
                os._exit(126)

    def pump(self, deadline):
        """Takes what comes next; False at the end of all output."""
        left = deadline - time.monotonic()
        if left <= 0 or not select.select([self.master], [], [], left)[0]:
            raise Failure('the deadline passed')
        try:
            data = os.read(self.master, 65536)
        except OSError:
            data = b''
        self.raw += data
        self.screen.feed(data.decode(errors='replace'))
        return bool(data)

    def wait_for(self, wanted, seconds=DEADLINE):
        """Until wanted(screen) is true; a text: until it stands somewhere behind what was waited for last."""
        deadline = time.monotonic() + seconds
        if callable(wanted):
            true = wanted
        else:
            def true(screen):
                return wanted in screen.whole()[self.mark:]
        try:
            while not true(self.screen):
                if not self.pump(deadline):
                    raise Failure('trapline ended')
        except Failure as failure:
            what = wanted if isinstance(wanted, str) else 'something'
            raise Failure(f'{failure} while waiting for {what!r}; the screen:\n{self.screen.whole()}') from None
        if not callable(wanted):
            self.mark += self.screen.whole()[self.mark:].index(wanted) + len(wanted)

    def wait_line(self, wanted, seconds=DEADLINE):
        """Until the line of the cursor is this one."""
        try:
            self.wait_for(lambda screen: screen.cursor_line() == wanted, seconds)
        except Failure as failure:
            raise Failure(f'not the line {wanted!r} but {self.screen.cursor_line()!r}: {failure}') from None

    def prompt(self, seconds=DEADLINE):
        self.wait_line(PROMPT, seconds)
        self.mark = len(self.screen.whole())

    def type(self, keys):
        os.write(self.master, keys.replace('\n', '\r').encode())  # as the Enter key does

    def command(self, line, seconds=DEADLINE):
        """Types a line; what it printed, once the prompt is back."""
        before = len(self.screen.lines)
        self.type(line)
        self.wait_for(lambda screen: screen.cursor_line().endswith(line[-20:]), seconds)
        self.type('\n')
        self.wait_for(lambda screen: len(screen.lines) > before and screen.cursor_line() == PROMPT, seconds)
        self.mark = len(self.screen.whole())
        return '\n'.join(''.join(text).rstrip(' ') for text in self.screen.lines[before:-1])

    def resize(self, rows, columns):
        self.screen.rows, self.screen.columns = rows, columns
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack('HHHH', rows, columns, 0, 0))

    def end(self, seconds=DEADLINE):
        """Waits for the end; the exit status, or minus the signal."""
        deadline = time.monotonic() + seconds
        while self.pump(deadline):
            pass
        self.status = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        return self.status

    def close(self):
        if self.status is None:
            try:
                os.kill(self.pid, signal.SIGKILL)
                os.waitpid(self.pid, 0)
            except (ProcessLookupError, ChildProcessError):
                pass
        os.close(self.master)


class Place:
    """A home of its own, and terminals that are closed when the case is over."""

    def __init__(self):
        self.home = pathlib.Path(tempfile.mkdtemp(prefix='trapline-cli-'))
        self.open = []

    def terminal(self, *arguments, **options):
        terminal = Terminal(*arguments, home=self.home, **options)
        self.open.append(terminal)
        return terminal

    def run(self, *arguments, text='', **options):
        """Through pipes: what came of it, as subprocess has it."""
        return subprocess.run([TRAPLINE, *map(str, arguments)], input=text, capture_output=True, text=True,
                              errors='surrogateescape',
                              timeout=DEADLINE, cwd=options.pop('cwd', self.home),
                              env=environment(self.home, **options))

    def write(self, name, text):
        path = self.home / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def close(self):
        for terminal in self.open:
            terminal.close()
        shutil.rmtree(self.home, ignore_errors=True)


def equal(found, wanted, what=''):
    if found != wanted:
        raise Failure(f'{what}\n    wanted: {wanted!r}\n    found:  {found!r}')


def holds(text, part):
    if part not in text:
        raise Failure(f'{part!r} is not in:\n{text}')


def main(module):
    cases = [(name, value) for name, value in vars(module).items() if name.startswith('test_')]
    chosen = sys.argv[1:]
    passed = failed = 0
    for name, case in cases:
        if chosen and not any(word in name for word in chosen):
            continue
        place = Place()
        try:
            case(place)
            passed += 1
            print(f'ok {name}')
        except Exception as failure:
            failed += 1
            print(f'FAILED {name}: {failure}')
            if not isinstance(failure, Failure):
                traceback.print_exc(file=sys.stdout)
            print(f'    run it again: TRAPLINE_BUILD={BUILD} python3 {sys.argv[0]} {name}')
        finally:
            place.close()
        sys.stdout.flush()
    print(f'{passed} passed, {failed} failed')
    return failed != 0 or passed == 0
