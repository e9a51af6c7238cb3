"""A terminal as a person has it, for programs that draw: tmux, which shows what stands on the screen.

tmux runs in its control mode: it says when something was written, so nothing here sleeps or asks again and again. Every
wait has a deadline, after which the test fails with the screen as it is.
"""

import os
import pathlib
import select
import shlex
import subprocess
import tempfile
import time

DEADLINE = 60  # seconds: other tests may have the machine for a while


class Failure(Exception):
    pass


class Tmux:
    """A command on a screen of its own. What it leaves behind when it ends stays to be seen."""

    def __init__(self, command, rows=24, columns=80, environment=None, cwd=None):
        self.folder = tempfile.TemporaryDirectory(prefix='trapline-tmux-', ignore_cleanup_errors=True)
        self.rest = b''
        self.replies = []  # of commands, each its lines
        self.reply = None
        self.changed = True
        names = {'LANG': 'C.UTF-8', 'TERM': 'screen-256color', 'PATH': os.environ['PATH'], **(environment or {})}
        # The server takes what its first client has; TMUX would make it think that it runs inside of another.
        self.socket = str(pathlib.Path(self.folder.name) / 'socket')
        whole = 'env -i ' + ' '.join(shlex.quote(f'{name}={value}') for name, value in names.items())
        whole += ' ' + ' '.join(shlex.quote(str(word)) for word in command)
        settings = pathlib.Path(self.folder.name) / 'settings'
        settings.write_text('set -g default-terminal screen-256color\nset -s escape-time 0\n'
                            'set -g remain-on-exit on\n')
        self.process = subprocess.Popen(
            ['tmux', '-S', self.socket, '-f', str(settings), '-C', 'new-session', '-x', str(columns), '-y', str(rows),
             f'exec {whole}'],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=cwd,
            env={'PATH': os.environ['PATH'], 'HOME': self.folder.name, 'LANG': 'C.UTF-8', 'TERM': 'xterm'})
        self.resize(rows, columns)

    # ---- What tmux says ----

    def line(self, line):
        if self.reply is not None:
            if line.startswith((b'%end ', b'%error ')):
                self.replies.append(self.reply)
                self.reply = None
            else:
                self.reply.append(line.decode(errors='replace'))
        elif line.startswith(b'%begin '):
            self.reply = []
        elif line.startswith((b'%output ', b'%layout-change ', b'%window-pane-changed ', b'%pane-mode-changed ')):
            self.changed = True
        elif line.startswith(b'%exit'):
            raise Failure('tmux ended')

    def pump(self, deadline):
        left = deadline - time.monotonic()
        if left <= 0 or not select.select([self.process.stdout], [], [], left)[0]:
            raise Failure('the deadline passed')
        data = os.read(self.process.stdout.fileno(), 65536)
        if not data:
            raise Failure('tmux ended')
        *lines, self.rest = (self.rest + data).split(b'\n')
        for line in lines:
            self.line(line.rstrip(b'\r'))

    def tell(self, *words):
        """A command to tmux; what it answers."""
        self.replies.clear()
        # The answer to a command comes behind whatever was said before: an empty answer of an earlier one counts too.
        mark = f'mark-{time.monotonic_ns()}'
        text = ' '.join(shlex.quote(word) for word in words) + f'\ndisplay-message -p {mark}\n'
        self.process.stdin.write(text.encode())
        self.process.stdin.flush()
        deadline = time.monotonic() + DEADLINE
        while not self.replies or self.replies[-1] != [mark]:
            self.pump(deadline)
        return self.replies[-2] if len(self.replies) > 1 else []

    # ---- What a person does ----

    def type(self, text):
        """Characters as they are."""
        self.tell('send-keys', '-l', text)

    def press(self, *keys):
        """Keys by tmux's names: Enter, C-c, Up, PageUp."""
        self.tell('send-keys', *keys)

    def enter(self, line):
        self.type(line)
        self.press('Enter')

    def resize(self, rows, columns):
        self.tell('resize-window', '-x', str(columns), '-y', str(rows))
        self.changed = True

    # ---- What a person sees ----

    def screen(self):
        """The rows, without blanks at their ends."""
        return [line.rstrip() for line in self.tell('capture-pane', '-p')]

    def coloured(self):
        """The same with the sequences for colours."""
        return self.tell('capture-pane', '-p', '-e', '-N')

    def cursor(self):
        """Row and column, from 0."""
        row, column = self.tell('display-message', '-p', '#{cursor_y} #{cursor_x}')[0].split()
        return int(row), int(column)

    def wait_for(self, wanted, seconds=DEADLINE):
        """Until wanted(rows) is true, or a text stands somewhere."""
        deadline = time.monotonic() + seconds
        true = wanted if callable(wanted) else lambda rows: any(wanted in row for row in rows)
        rows = []
        while True:
            self.changed = False
            rows = self.screen()
            if true(rows):
                return rows
            while not self.changed:
                try:
                    self.pump(deadline)
                except Failure as failure:
                    what = repr(wanted) if isinstance(wanted, str) else 'something'
                    shown = '\n'.join(f'|{row}' for row in rows)
                    raise Failure(f'{failure} while waiting for {what}; the screen:\n{shown}') from None

    def last_line(self, text, seconds=DEADLINE):
        """Until the last line that is not empty is this one."""
        return self.wait_for(lambda rows: ([row for row in rows if row] or [''])[-1] == text.rstrip(), seconds)

    def close(self):
        try:
            self.process.stdin.write(b'kill-server\n')
            self.process.stdin.flush()
        except OSError:
            pass
        try:
            self.process.communicate(timeout=DEADLINE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.communicate()
        self.folder.cleanup()
