"""The scripted target behind core's protocol server, in several makes of machine."""

from drivers import Driver
from registry import RUNGS


class Scripted(Driver):
    name = "scripted"
    target = "scripted"
    rungs = tuple(rung for rung in RUNGS if rung != "reverse")
    options = ()

    def command(self):
        return [self.built("tests", "conformance", "scripted_server"), *self.options, self.fixture()]


class WithoutStep(Scripted):
    """A machine that cannot step: the engine puts traps on every successor."""
    name = "scripted-nostep"
    target = "scripted, no step"
    options = ("--without=step",)
    excused = {
        "step_into_a_handler": "a step by traps on the successors does not see that a signal leads elsewhere",
    }


class Inserted(Scripted):
    """Points inserted by the machine, as in an emulator, which passes them by itself."""
    name = "scripted-inserted"
    target = "scripted, inserted points"
    options = ("--points=inserted", "--exact")


class Held(Scripted):
    """No way over a point but to hold all others."""
    name = "scripted-held"
    target = "scripted, held"
    options = ("--without=carry-out", "--without=out-of-line", "--seed=7")


DRIVERS = [Scripted, WithoutStep, Inserted, Held]
