"""What a program shows on a terminal, and typing into it."""

import os
import pty
import select
import signal
import subprocess
import time


class Silent(Exception):
    """What was expected was not shown; the text says what was."""


class Console:
    """A program at a terminal of its own. Use it as a context: at the end the program is ended."""

    def __init__(self, command):
        self.shown = b''  # all of it
        self.at = 0       # so much of it was expected already
        self.terminal, other = pty.openpty()
        # pylint: disable-next=consider-using-with
        self.process = subprocess.Popen([str(word) for word in command], stdin=other, stdout=other, stderr=other,
                                        start_new_session=True)
        os.close(other)

    def __enter__(self):
        return self

    def __exit__(self, *what):
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        os.close(self.terminal)

    def expect(self, text, seconds):
        """Waits until it is shown behind what was expected before; what stood between, as text."""
        deadline = time.monotonic() + seconds
        while (found := self.shown.find(text.encode(), self.at)) < 0:
            if not select.select([self.terminal], [], [], max(0, deadline - time.monotonic()))[0]:
                raise Silent(f'{text!r} was not shown in {seconds} s, but:\n{self.rest()}')
            try:
                self.shown += os.read(self.terminal, 65536)
            except OSError:
                raise Silent(f'the program ended before {text!r}:\n{self.rest()}') from None
        between = self.shown[self.at:found].decode(errors='replace')
        self.at = found + len(text.encode())
        return between

    def type(self, text):
        os.write(self.terminal, text.encode())

    def rest(self):
        """The end of what was shown."""
        return self.shown[-3000:].decode(errors='replace')
