"""The remote target behind trapline --serve: a client of one server that is served by another. The program stands behind
both, so that every scenario goes through the client too."""

from drivers import Driver
from registry import RUNGS


class Remote(Driver):
    """Over our own server."""
    name = "remote"
    target = "remote"
    rungs = tuple(rung for rung in RUNGS if rung != "reverse")
    may_skip = {
        "reconnect_resets_state": "a pipe cannot be opened twice",
        "reconnect_while_it_runs": "a pipe cannot be opened twice",
        "thread_options_tell_of_a_clone": "births are learnt from the stub's list of threads, not from their makers",
    }

    def stub(self):
        return f"{self.built('trapline')} --serve - {self.fixture()}"

    def command(self):
        return [self.built("trapline"), "--serve", "-", "connect", "| exec " + self.stub()]


class OverGdbserver(Remote):
    name = "remote-gdbserver"
    target = "remote, gdbserver"
    may_skip = dict(Remote.may_skip, memory_region="gdbserver does not know qMemoryRegionInfo")

    def stub(self):
        return f"{self.installed('gdbserver')} --once - {self.fixture()}"


DRIVERS = [Remote, OverGdbserver]
