"""A Linux process behind trapline --serve."""

from drivers import Driver
from registry import RUNGS


class Process(Driver):
    name = "process"
    target = "process"
    rungs = tuple(rung for rung in RUNGS if rung != "reverse")

    def command(self):
        return [self.built("trapline"), "--serve", "-", self.fixture()]


DRIVERS = [Process]
