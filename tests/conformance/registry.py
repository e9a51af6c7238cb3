"""What scenarios are made of: the decorator that registers them, the reasons to skip, and the session that they drive."""

import time

from client import Client, Stop

# In the order of the ladder in core/engine/target.h.
RUNGS = ("look", "run", "breakpoints", "hardware", "threads", "step", "lifetime", "objects", "reverse")

SCENARIOS = []


class Skip(Exception):
    """The driver's target or server does not do this, and says so."""


class Failed(AssertionError):
    """The server did it, and did it wrong."""


class Scenario:
    def __init__(self, function, needs, only):
        self.function, self.needs, self.only = function, needs, only
        self.name = function.__name__
        self.text = (function.__doc__ or "").strip().split("\n")[0]
        if not self.text:
            raise ValueError(f"scenario {self.name} does not say what it shows")


def scenario(needs, only=None):
    """Registers a scenario of rung `needs`; `only` names a kind of target ("process") that it makes sense for."""
    if needs not in RUNGS:
        raise ValueError(f"no such rung: {needs}")

    def register(function):
        SCENARIOS.append(Scenario(function, needs, only))
        return function

    return register


def check(condition, text):
    if not condition:
        raise Failed(text)


def equal(found, wanted, what):
    if found != wanted:
        shown = (f"{found:#x}, not {wanted:#x}" if isinstance(found, int) and isinstance(wanted, int)
                 else f"{found!r}, not {wanted!r}")
        raise Failed(f"{what} is {shown}")


# Requests to the fixture: see FIXTURE.md.
THREADS, EXIT, SIGNAL, HANDLER, FORK, VFORK, EXEC, WRITE, READ, CALL, FAULT, TRAP, PRINT, WAIT = range(1, 15)


class Session:
    """A server, a client connected to it, and the fixture's symbols."""

    def __init__(self, driver):
        self.driver = driver
        self.connection = driver.start()
        self.client = None
        self.symbols = driver.symbols()

    def __getitem__(self, name):
        """The address of fixture_<name>."""
        return self.symbols["fixture_" + name]

    def connect(self, **options):
        stream_in, stream_out = self.connection.open()
        self.client = Client(stream_in, stream_out, self.driver.name)
        self.client.trap_size = len(self.driver.trap)
        self.client.start(**options)
        self.driver.begin(self.client)
        # As gdb does: what stopped? Servers choose their current thread by it.
        self.first = Stop(self.client.ask("?"))
        self.client.request("Hg" + (self.first.thread or "0"))
        return self.client

    def close(self):
        if self.client is not None:
            self.client.close()
        self.connection.stop()

    def need(self, feature):
        """Skips unless qSupported lists it."""
        if self.client.features.get(feature) != "+":
            raise Skip(f"the server does not announce {feature}")

    def shows_trap(self, name):
        """Whether memory has a trap instruction where the fixture has none, as the client sees it."""
        return self.client.read(self[name], len(self.driver.trap)) == self.driver.trap

    # ---- the fixture ----

    def go_to(self, name, count=1):
        """Runs to a breakpoint at fixture_<name>, `count` times, and removes it. Standing there, it goes a round."""
        client = self.client
        for _ in range(count):
            self.leave(name)
            stop = self.driver.run_to(client, self[name])
            check(stop.kind == "T" and stop.signal == 5, f"running to fixture_{name} ended with {stop}")
            equal(client.pc(stop.thread), self[name], f"the program counter at fixture_{name}")
        return stop

    def leave(self, name):
        """Steps the thread that stopped last off fixture_<name>, if it stands there, as clients do."""
        client = self.client
        stop = Stop(client.ask("?"))
        if client.pc(stop.thread) == self[name]:
            client.step(stop.thread)

    def set(self, name, value):
        self.client.set_word(self[name], value)

    def get(self, name):
        return self.client.word(self[name])

    def request(self, number, argument=0):
        """Has the fixture serve a request on its next round. It must be stopped."""
        self.set("argument", argument)
        self.set("request", number)

    def threads_at_worker(self, count):
        """Starts `count` threads and leaves all stopped, at least one of them at fixture_worker."""
        self.go_to("body")
        self.request(THREADS, count)
        self.go_to("served")
        names = self.client.threads()
        equal(len(names), count + 1, "the number of threads")
        return names


def wait_until(condition, what, deadline=10.0):
    """For what the protocol does not tell (a process of the system that ends). Polls, as nothing else is there to wait on."""
    end = time.monotonic() + deadline
    while not condition():
        if time.monotonic() > end:
            raise Failed(f"waited in vain for {what}")
        time.sleep(0.005)


__all__ = ["SCENARIOS", "RUNGS", "Skip", "Failed", "Session", "Stop", "scenario", "check", "equal", "wait_until",
           "THREADS", "EXIT", "SIGNAL", "HANDLER", "FORK", "VFORK", "EXEC", "WRITE", "READ", "CALL", "FAULT", "TRAP",
           "PRINT", "WAIT"]
