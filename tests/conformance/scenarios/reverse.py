"""Rung 9: going back (bs and bc: GDB manual, "Packets", and "Stop Reply Packets" for replaylog)."""

from client import Refused, Stop
from registry import WRITE, check, equal, scenario


def back(t, packet):
    """One request backwards, and the stop that it leads to."""
    t.need("ReverseStep")
    t.need("ReverseContinue")
    t.client.send(packet.encode())
    return t.client.wait_stop(f"the stop after {packet}")


def written_once(t):
    """Has the fixture write `value` over fixture_watched once, and goes to where that was served."""
    t.go_to("body")
    t.set("address", t["watched"])
    t.set("value", 0x1122334455667788)
    t.request(WRITE, 8)
    t.go_to("served")


@scenario("reverse")
def back_step_undoes_one_instruction(t):
    """A step back undoes what the last instruction did: the program counter, a register, memory."""
    client = t.client
    t.go_to("body", 3)
    before = t.get("last")
    stop = client.step(t.first.thread)
    equal(t.get("last"), 3, "what the instruction stored")
    stop = back(t, "bs")
    equal(stop.signal, 5, "the signal")
    equal(client.pc(stop.thread), t["body"], "the program counter")
    equal(t.get("last"), before, "what stood there before")


@scenario("reverse")
def back_steps_retrace_the_way(t):
    """Sixty steps forward, sixty back: the same places in reverse, the same registers at each."""
    client = t.client
    t.go_to("loop", 2)
    way = []
    for _ in range(60):
        way.append(client.all_registers())
        client.step(t.first.thread)
    for number, registers in enumerate(reversed(way)):
        back(t, "bs")
        equal(client.all_registers(), registers, f"all registers, {number + 1} steps back")


@scenario("reverse")
def back_to_a_breakpoint(t):
    """Going back stops at a breakpoint that lies on the way, before its instruction, with the memory of then."""
    client = t.client
    t.go_to("served" if t.driver.kind == "process" else "range", 5)
    client.insert(0, t["body"])
    for count in (5, 4, 3):
        stop = back(t, "bc")
        equal(client.pc(stop.thread), t["body"], "the program counter")
        equal(t.get("counter"), count, "the counter")
    client.remove(0, t["body"])


@scenario("reverse")
def back_and_forth(t):
    """What was run back is run again the same: the counter at the same place has the same value."""
    client = t.client
    t.go_to("range", 4)
    client.insert(0, t["body"])
    back(t, "bc")
    back(t, "bc")
    equal(t.get("counter"), 3, "the counter two rounds back")
    stop = client.run()
    equal(client.pc(stop.thread), t["body"], "the program counter, forward again")
    equal(t.get("counter"), 4, "the counter, forward again")


@scenario("reverse")
def back_to_the_beginning(t):
    """Going back with nothing on the way ends at the beginning of what is remembered, and says so, as often as asked."""
    t.go_to("body", 2)
    for _ in range(2):
        stop = back(t, "bc")
        equal(stop.value("replaylog"), "begin", "replaylog")
    stop = back(t, "bs")
    equal(stop.value("replaylog"), "begin", "replaylog of a step")


@scenario("reverse")
def back_to_a_write(t):
    """Going back with a watchpoint stops at the write, names address and kind, and shows the value from before it."""
    client = t.client
    written_once(t)
    equal(t.get("watched"), 0x1122334455667788, "the value after the write")
    client.insert(2, t["watched"], 8)
    stop = back(t, "bc")
    equal(int(stop.value("watch") or "0", 16), t["watched"], "the address that the stop names")
    equal(client.pc(stop.thread), t["write_8"], "the program counter")
    check(t.get("watched") != 0x1122334455667788, "the value is that from after the write")
    client.remove(2, t["watched"], 8)
    client.step(stop.thread)
    equal(t.get("watched"), 0x1122334455667788, "the value after the write was run again")


@scenario("reverse")
def back_is_interrupted_or_ends(t):
    """^C while going back is answered by one stop, wherever it is, and the program goes on from there."""
    client = t.client
    client.resume("c")
    client.interrupt()
    equal(client.wait_stop().signal, 2, "the signal")
    t.need("ReverseContinue")
    client.send(b"bc")
    client.interrupt()
    stop = client.wait_stop("the stop after bc and ^C")
    check(stop.signal in (2, 5), f"the stop is {stop}")
    check(client.nothing_comes(0.15), "a second stop")
    client.insert(0, t["body"])
    if client.run().signal == 2:  # a ^C that came behind the end may be kept for the next resume
        client.run()
    equal(client.pc(), t["body"], "the program counter")


@scenario("reverse")
def back_forgets_no_breakpoint(t):
    """A breakpoint that was hit while going back is hit going forward, too, and gone when it is taken out."""
    client = t.client
    t.go_to("range", 3)
    client.insert(0, t["body_second"])
    back(t, "bc")
    stop = client.run()
    equal(client.pc(stop.thread), t["body_second"], "the program counter")
    client.remove(0, t["body_second"])
    client.insert(0, t["range"])
    stop = client.run()
    equal(client.pc(stop.thread), t["range"], "the program counter without the breakpoint")


@scenario("reverse")
def back_then_another_future(t):
    """What is written in the past counts from there on: the program runs on with it, and it can be gone back to."""
    client = t.client
    t.go_to("range", 4)
    client.insert(0, t["body"])
    back(t, "bc")
    back(t, "bc")
    t.set("counter", 1000)
    client.run()
    equal(t.get("counter"), 1001, "the counter in the new future")
    stop = back(t, "bc")
    equal(client.pc(stop.thread), t["body"], "the program counter, back in the new past")
    check(t.get("counter") in (3, 1000), f"the counter is {t.get('counter')}")


@scenario("reverse")
def back_of_one_thread_is_told(t):
    """A stop after going back has a thread that exists."""
    t.go_to("body", 2)
    stop = back(t, "bs")
    check(stop.thread in t.client.threads(), f"the stop names {stop.thread}")


@scenario("reverse")
def back_garbage_is_refused(t):
    """bs and bc with more behind them are errors or unknown, and nothing has moved."""
    client = t.client
    stop = t.go_to("body")
    for packet in ("bsx", "bc1", "b"):
        try:
            client.ask(packet)
        except Refused:
            pass
        except Exception as error:  # pylint: disable=broad-except
            if type(error).__name__ != "Unsupported":
                raise
        equal(client.pc(stop.thread), t["body"], f"the program counter after {packet}")
    equal(Stop(client.ask("?")).signal, 5, "the signal of the last stop")
