"""Rung 3: software breakpoints, their conditions and commands."""

import bytecode
from client import Refused
from registry import THREADS, Failed, check, equal, scenario


@scenario("breakpoints")
def breakpoint_is_hit(t):
    """A breakpoint stops the thread at its address, again and again, with the reason that was asked for."""
    client = t.client
    client.insert(0, t["body"])
    for count in range(1, 4):
        stop = client.run()
        equal(stop.signal, 5, "the signal")
        equal(client.pc(stop.thread), t["body"], "the program counter")
        argument = next((name for name in ("rdi", "x0") if name in client.by_name), None)
        equal(client.register(argument) if argument else count, count, "the argument")
        check(stop.has("swbreak"), f"the stop gives no reason: {stop}")
        client.remove(0, t["body"])
        client.step(stop.thread)
        client.insert(0, t["body"])


@scenario("breakpoints")
def breakpoint_removed_is_not_hit(t):
    """After its removal nothing stops there."""
    t.go_to("body")
    t.client.insert(0, t["range"])
    equal(t.client.run().signal, 5, "the signal")
    equal(t.client.pc(), t["range"], "the program counter")
    t.client.remove(0, t["range"])
    t.go_to("call")


@scenario("breakpoints")
def breakpoint_is_hidden(t):
    """Reads show the program's own bytes where breakpoints are."""
    client = t.client
    before = client.read(t["loop"], 128)
    for name in ("call", "range", "body", "body_second", "body_third"):
        client.insert(0, t[name])
    equal(client.read(t["loop"], 128), before, "the code under breakpoints")
    equal(client.read(t["body"] + 1, 3), before[t["body"] + 1 - t["loop"]:][:3], "a part of it")
    for name in ("call", "range", "body", "body_second", "body_third"):
        client.remove(0, t[name])
    equal(client.read(t["loop"], 128), before, "the code afterwards")


@scenario("breakpoints")
def write_under_a_breakpoint(t):
    """A write over a breakpoint lands under it: the breakpoint stays, and its removal shows what was written."""
    client = t.client
    client.insert(0, t["body_second"])
    old = client.read(t["body_second"], 4)
    # Instructions that do nothing, the first of them known by its length.
    length = len(t.driver.nothing)
    new = t.driver.nothing * (4 // length)
    client.write_memory(t["body_second"] - 2, client.read(t["body_second"] - 2, 2) + new)
    equal(client.read(t["body_second"], 4), new, "the memory after the write")
    stop = client.run()
    equal(client.pc(stop.thread), t["body_second"], "the program counter")
    client.remove(0, t["body_second"])
    equal(client.read(t["body_second"], 4), new, "the memory after the removal")
    client.step(stop.thread)
    equal(client.pc(stop.thread), t["body_second"] + length, "the program counter behind the new instruction")
    client.write_memory(t["body_second"], old)


@scenario("breakpoints")
def two_at_once(t):
    """Two breakpoints next to each other stop in turn."""
    client = t.client
    client.insert(0, t["body"])
    client.insert(0, t["body_second"])
    for name in ("body", "body_second", "body", "body_second"):
        stop = client.run()
        if client.pc(stop.thread) != t[name]:
            # Resumed upon a breakpoint that was told, a server may stop there again: the client steps off it.
            client.remove(0, client.pc(stop.thread))
        equal(client.pc(stop.thread), t[name], "the program counter")
        client.remove(0, t[name])
        client.step(stop.thread)
        client.insert(0, t[name])
        if name == "body":
            # The step ended on the second breakpoint, which was not hit by it.
            equal(client.pc(stop.thread), t["body_second"], "the program counter after the step")


@scenario("breakpoints")
def inserting_twice_is_once(t):
    """Inserting a breakpoint again changes nothing: one removal takes it out."""
    t.client.insert(0, t["body"])
    t.client.insert(0, t["body"])
    t.client.run()
    t.client.remove(0, t["body"])
    t.go_to("range")
    t.go_to("call")
    before = t.get("counter")
    t.go_to("range")
    equal(t.get("counter"), before, "the counter: nothing stopped between")


@scenario("breakpoints")
def removing_what_is_not_there(t):
    """Removing a breakpoint that is not there does no harm."""
    reply = t.client.request(f"z0,{t['body']:x},1")
    check(reply == b"OK" or reply[:1] == b"E", f"z0 was answered with {reply!r}")
    t.go_to("body")


@scenario("breakpoints")
def breakpoint_where_nothing_is(t):
    """A breakpoint at an unmapped address is an error."""
    try:
        t.client.insert(0, 8)
    except Refused:
        return
    raise Failed("a breakpoint at address 8 was taken")


@scenario("breakpoints")
def condition_false_and_true(t):
    """A condition that is false lets the program pass; when it comes true, the program stops."""
    t.need("ConditionalBreakpoints")
    client = t.client
    client.insert(0, t["body"], conditions=[
        bytecode.equal(bytecode.word(t["counter"]), bytecode.constant(25)) + bytecode.END])
    stop = client.run()
    equal(client.pc(stop.thread), t["body"], "the program counter")
    equal(t.get("counter"), 25, "the counter")


@scenario("breakpoints")
def any_condition_stops(t):
    """Of several conditions one that is true is enough."""
    t.need("ConditionalBreakpoints")
    conditions = [bytecode.equal(bytecode.word(t["counter"]), bytecode.constant(n)) + bytecode.END for n in (9, 4)]
    t.client.insert(0, t["body"], conditions=conditions)
    for count in (4, 9):
        stop = t.client.run()
        equal(t.get("counter"), count, "the counter")
        t.client.remove(0, t["body"])
        t.client.step(stop.thread)
        t.client.insert(0, t["body"], conditions=conditions)


@scenario("breakpoints")
def condition_is_replaced(t):
    """Inserting again replaces the conditions; without any, the breakpoint always stops."""
    t.need("ConditionalBreakpoints")
    t.client.insert(0, t["body"], conditions=[bytecode.always(0) + bytecode.END])
    t.client.insert(0, t["body"])
    t.client.run()
    equal(t.get("counter"), 1, "the counter")


@scenario("breakpoints")
def condition_in_error_stops(t):
    """A condition that cannot be evaluated stops the program rather than being taken for false."""
    t.need("ConditionalBreakpoints")
    t.client.insert(0, t["body"], conditions=[bytecode.word(8) + bytecode.END])
    stop = t.client.run()
    equal(t.client.pc(stop.thread), t["body"], "the program counter")
    equal(t.get("counter"), 1, "the counter")


@scenario("breakpoints")
def nonsense_bytecode_is_harmless(t):
    """Bytecode that is no bytecode is refused, or stops the program; endless bytecode ends."""
    t.need("ConditionalBreakpoints")
    for code in (b"\xff", b"\x02", b"\x22", bytecode.jump_to_itself() + bytecode.END, b"\x20\xff\xff", b""):
        reply = t.client.request(f"Z0,{t['body']:x},1;X{len(code):x},{code.hex()}")
        if reply == b"OK":
            stop = t.client.run(timeout=30)
            equal(t.client.pc(stop.thread), t["body"], "the program counter")
            t.client.remove(0, t["body"])
            t.client.step(stop.thread)
        else:
            check(reply[:1] == b"E", f"bytecode {code.hex()} was answered with {reply!r}")
    t.go_to("body")


@scenario("breakpoints")
def commands_print_and_go_on(t):
    """A breakpoint with commands prints and does not stop."""
    t.need("BreakpointCommands")
    client = t.client
    client.insert(0, t["body"], commands=[
        bytecode.printf("count %d\\n", bytecode.word(t["counter"])) + bytecode.END])
    client.insert(0, t["range_end"], conditions=[
        bytecode.equal(bytecode.word(t["counter"]), bytecode.constant(3)) + bytecode.END])
    stop = client.run()
    equal(client.pc(stop.thread), t["range_end"], "the program counter")
    check(client.output in (b"", b"count 1\ncount 2\ncount 3\n"), f"the output is {client.output!r}")


@scenario("breakpoints")
def resumed_upon_a_breakpoint(t):
    """A breakpoint inserted where the thread stands stops it at once or on its next round, never by a stray trap."""
    client = t.client
    stop = t.go_to("body")
    count = t.get("counter")
    client.insert(0, t["body"])
    stop = client.run()
    equal(client.pc(stop.thread), t["body"], "the program counter")
    check(t.get("counter") in (count, count + 1), "the counter got out of step")
    equal(stop.signal, 5, "the signal")


@scenario("breakpoints")
def stale_hit_after_removal(t):
    """Hits that waited when the breakpoint was removed are forgotten: no stray trap, and nobody's PC is behind it."""
    client = t.client
    t.threads_at_worker(6)
    client.insert(0, t["worker"])
    client.run()
    client.remove(0, t["worker"])
    client.insert(0, t["body"])
    stop = client.run()
    equal(client.pc(stop.thread), t["body"], "the program counter of the next stop")
    for thread in client.threads():
        pc = client.pc(thread)
        check(pc != t["worker"] + 1, f"thread {thread} stands behind a breakpoint that is gone")


@scenario("breakpoints")
def breakpoint_kept_over_many_rounds(t):
    """Two hundred hits with step-over by the server's own conditions: none is lost."""
    t.need("ConditionalBreakpoints")
    t.client.insert(0, t["body"], conditions=[
        bytecode.equal(bytecode.word(t["counter"]), bytecode.constant(200)) + bytecode.END])
    t.client.insert(0, t["range"], conditions=[bytecode.always(0) + bytecode.END])
    t.client.run()
    equal((t.get("counter"), t.get("last")), (200, 199), "the counter and the last argument")


@scenario("threads")
def many_threads_one_breakpoint(t):
    """Ten threads hit one breakpoint: each stop names a thread that stands at it, and each thread gets its turn."""
    client = t.client
    t.go_to("body")
    t.request(THREADS, 10)
    client.insert(0, t["worker"])
    seen = set()
    for _ in range(400):
        stop = client.run()
        equal(stop.signal, 5, "the signal")
        equal(client.pc(stop.thread), t["worker"], "the program counter")
        seen.add(stop.thread)
        if len(seen) == 10:
            return
        client.remove(0, t["worker"])
        client.step(stop.thread)
        client.insert(0, t["worker"])
    raise Failed(f"only {len(seen)} threads of 10 were ever told")


@scenario("threads")
def many_threads_false_condition(t):
    """Eight threads hit a false condition while one counts: the counter moves on, and ^C is answered."""
    t.need("ConditionalBreakpoints")
    client = t.client
    t.threads_at_worker(8)
    client.insert(0, t["worker"], conditions=[bytecode.always(0) + bytecode.END])
    before = t.get("counter")
    client.resume("c")
    client.interrupt()
    stop = client.wait_stop()
    equal(stop.signal, 2, "the signal")
    client.insert(0, t["body"])
    client.run()
    check(t.get("counter") > before, "the main thread did not get on")
    client.remove(0, t["worker"])
    for thread in client.threads():
        check(client.pc(thread) != t["worker"] + 1, f"thread {thread} stands behind the trap")
