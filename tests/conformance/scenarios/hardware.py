"""Rung 4: hardware breakpoints and watchpoints."""

from client import Refused
from registry import READ, THREADS, WRITE, Failed, Skip, check, equal, scenario

WATCH = {2: "watch", 3: "rwatch", 4: "awatch"}


def prepare(t, request, size, address):
    """The next round accesses `size` bytes at `address`."""
    t.set("address", address)
    t.set("value", 0x1122334455667788)
    t.request(request, size)


def insert(t, kind, address, size):
    try:
        t.client.insert(kind, address, size)
    except Refused as refused:
        if kind == 3:
            raise Skip("the server refuses read watchpoints") from refused
        raise


def expect_watch(t, kind, low, high):
    stop = t.client.run()
    equal(stop.signal, 5, "the signal")
    values = [(key, value) for key, value in stop.fields if key in ("watch", "rwatch", "awatch")]
    check(values, f"the stop names no watchpoint: {stop}")
    # gdbserver says "watch" of every kind, and is excused; ours says the true one.
    if t.driver.name != "gdbserver":
        equal(values[0][0], WATCH[kind], "the kind of watchpoint")
    address = int(values[0][1], 16)
    check(low <= address < high, f"the address {address:#x} is not in the watched range {low:#x}…{high:#x}")
    return stop


def expect_no_watch(t):
    """Runs to where the request has been served; a watchpoint on the way is a failure."""
    t.go_to("served")


def served_round(t, request, size, address):
    t.go_to("body")
    prepare(t, request, size, address)


@scenario("hardware")
def hardware_breakpoint(t):
    """A hardware breakpoint stops before its instruction, again and again, and leaves memory alone."""
    client = t.client
    client.insert(1, t["body"])
    for count in (1, 2, 3):
        stop = client.run()
        equal(client.pc(stop.thread), t["body"], "the program counter")
        equal(t.get("counter"), count, "the counter")
        check(stop.has("hwbreak"), f"the stop gives no reason: {stop}")
        client.remove(1, t["body"])
        client.step(stop.thread)
        client.insert(1, t["body"])


@scenario("hardware")
def hardware_breakpoint_in_new_threads(t):
    """Threads that come later stop at a hardware breakpoint too."""
    t.go_to("body")
    t.client.insert(1, t["worker"])
    t.request(THREADS, 2)
    stop = t.client.run()
    equal(t.client.pc(stop.thread), t["worker"], "the program counter")
    check(stop.thread != t.client.threads()[0], "the wrong thread stopped")


def watch_write(size):
    def run(t):
        served_round(t, WRITE, size, t["watched"])
        insert(t, 2, t["watched"], size)
        expect_watch(t, 2, t["watched"], t["watched"] + size)
        equal(t.client.read(t["watched"], size), (0x1122334455667788).to_bytes(8, "little")[:size],
              "memory after the write")
        t.client.remove(2, t["watched"], size)
        t.go_to("body")
    run.__name__ = f"watch_write_{size}"
    run.__doc__ = f"A write of {size} byte(s) to a watched range of that size stops behind the access."
    scenario("hardware")(run)


for bytes_watched in (1, 2, 4, 8):
    watch_write(bytes_watched)


@scenario("hardware")
def watch_16_bytes(t):
    """A range of 16 bytes is watched as one: a write to its second half is found."""
    served_round(t, WRITE, 4, t["watched"] + 12)
    insert(t, 2, t["watched"], 16)
    expect_watch(t, 2, t["watched"], t["watched"] + 16)


@scenario("hardware")
def watch_unaligned(t):
    """An unaligned range is watched whole, and its neighbours are not."""
    served_round(t, WRITE, 1, t["watched"] + 7)
    insert(t, 2, t["watched"] + 3, 5)
    expect_watch(t, 2, t["watched"] + 3, t["watched"] + 8)
    served_round(t, WRITE, 1, t["watched"] + 8)
    expect_no_watch(t)
    served_round(t, WRITE, 1, t["watched"] + 2)
    expect_no_watch(t)


@scenario("hardware")
def watch_part_of_a_write(t):
    """A wide write that touches one watched byte is found."""
    served_round(t, WRITE, 8, t["watched"])
    insert(t, 2, t["watched"] + 5, 1)
    expect_watch(t, 2, t["watched"], t["watched"] + 8)


@scenario("hardware")
def watch_write_ignores_reads(t):
    """A write watchpoint does not stop at reads."""
    served_round(t, READ, 8, t["watched"])
    insert(t, 2, t["watched"], 8)
    expect_no_watch(t)


@scenario("hardware")
def watch_write_of_the_same_value(t):
    """A write that changes nothing is a write all the same."""
    served_round(t, WRITE, 4, t["watched"])
    t.go_to("served")
    served_round(t, WRITE, 4, t["watched"])
    insert(t, 2, t["watched"], 4)
    expect_watch(t, 2, t["watched"], t["watched"] + 4)


@scenario("hardware")
def watch_read(t):
    """A read watchpoint stops at a read."""
    served_round(t, READ, 4, t["watched"])
    insert(t, 3, t["watched"], 4)
    expect_watch(t, 3, t["watched"], t["watched"] + 4)


@scenario("hardware")
def watch_read_ignores_writes(t):
    """A read watchpoint does not stop at writes."""
    served_round(t, WRITE, 4, t["watched"])
    insert(t, 3, t["watched"], 4)
    expect_no_watch(t)


@scenario("hardware")
def watch_access(t):
    """An access watchpoint stops at reads and at writes."""
    served_round(t, READ, 2, t["watched"])
    insert(t, 4, t["watched"], 2)
    expect_watch(t, 4, t["watched"], t["watched"] + 2)
    t.client.remove(4, t["watched"], 2)
    served_round(t, WRITE, 2, t["watched"])
    insert(t, 4, t["watched"], 2)
    expect_watch(t, 4, t["watched"], t["watched"] + 2)


@scenario("hardware")
def watch_removed_is_silent(t):
    """A watchpoint that was removed stops nothing."""
    served_round(t, WRITE, 8, t["watched"])
    insert(t, 2, t["watched"], 8)
    t.client.remove(2, t["watched"], 8)
    expect_no_watch(t)


@scenario("hardware")
def watch_during_a_step(t):
    """A step over a watched access tells of the watchpoint."""
    client = t.client
    served_round(t, WRITE, 8, t["watched"])
    t.go_to("write_8")
    insert(t, 2, t["watched"], 8)
    stop = client.step(client.threads()[0])
    check(stop.has("watch"), f"the step over the access did not tell of it: {stop}")
    equal(client.pc(stop.thread), t["written_8"], "the program counter")


@scenario("hardware")
def watch_in_every_thread(t):
    """A watchpoint set while several threads exist is in force in the one that writes."""
    t.threads_at_worker(3)
    served_round(t, WRITE, 8, t["watched"])
    insert(t, 2, t["watched"], 8)
    stop = expect_watch(t, 2, t["watched"], t["watched"] + 8)
    equal(stop.thread, t.client.threads()[0], "the thread that wrote")


@scenario("hardware")
def too_many_watchpoints_are_refused(t):
    """More watchpoints than the machine has are refused with an error, and the earlier ones work on."""
    taken = 0
    try:
        for n in range(64):
            t.client.insert(2, t["buffer"] + 8 * n, 8)
            taken += 1
    except Refused:
        pass
    if taken == 64:
        raise Skip("this machine has no end of watchpoints")
    check(taken > 0, "not even one watchpoint was taken")
    served_round(t, WRITE, 8, t["buffer"])
    stop = expect_watch(t, 2, t["buffer"], t["buffer"] + 8)
    for n in range(taken):
        t.client.remove(2, t["buffer"] + 8 * n, 8)
    t.go_to("body")
    check(stop.thread is not None, "the stop names no thread")


@scenario("hardware")
def absurd_watchpoints_are_refused(t):
    """Watchpoints of no bytes, of a gigabyte, or past the top of the address space are errors."""
    for address, size in ((t["watched"], 0), (t["watched"], 1 << 30), (0xFFFFFFFFFFFFFFFC, 8)):
        try:
            t.client.insert(2, address, size)
        except Refused:
            continue
        raise Failed(f"a watchpoint of {size} bytes at {address:#x} was taken")
