"""Rung 6: forks, execs, detach, kill, and clients that come and go."""

import bytecode
from client import Stop
from registry import EXEC, FORK, VFORK, Skip, check, equal, scenario


@scenario("lifetime")
def kill_ends_it(t):
    """vKill is answered with OK."""
    threads = t.client.threads()
    process = threads[0].split(".")[0].lstrip("p") if "." in threads[0] else "1"
    t.client.order(f"vKill;{process}")


@scenario("lifetime")
def k_ends_it(t):
    """k ends the program and the connection, whether answered or not."""
    t.client.send("k")
    t.client.wait_closed()


@scenario("lifetime")
def detach_is_answered(t):
    """D with breakpoints set and hit is answered with OK."""
    t.client.insert(0, t["body"])
    t.client.run()
    threads = t.client.threads()
    t.client.order("D" + (";" + threads[0].split(".")[0].lstrip("p") if "." in threads[0] else ""))


def mind_no_children(t):
    """The end of a child is no stop."""
    t.client.order("QPassSignals:14")


@scenario("lifetime", only="process")
def fork_is_told(t):
    """A fork stops the parent and names the child, which stands still with its breakpoints hidden."""
    t.need("fork-events")
    client = t.client
    mind_no_children(t)
    t.go_to("body")
    client.insert(0, t["child"])
    t.request(FORK)
    stop = client.run()
    child = stop.value("fork")
    check(child is not None, f"the fork was not told: {stop}")
    process = child.split(".")[0]
    client.select(child)
    check(not t.shows_trap("child"), "the child's memory shows the trap")
    threads = client.threads()
    check(child in threads, f"the child is not listed: {threads}")
    client.order("D;" + process.lstrip("p"))
    client.select(stop.thread)
    client.remove(0, t["child"])
    t.go_to("served")


@scenario("lifetime", only="process")
def fork_child_is_followed(t):
    """The child of a fork inherits breakpoints, stops at them, and its exit is told with its process."""
    t.need("fork-events")
    client = t.client
    t.go_to("body")
    client.insert(0, t["child"])
    t.request(FORK)
    stop = client.run()
    child, parent = stop.value("fork"), stop.thread
    check(child is not None, f"the fork was not told: {stop}")
    client.order("D;" + parent.split(".")[0].lstrip("p"))
    client.select(child)
    stop = client.run(f"c:{child.split('.')[0]}.-1")
    equal((stop.signal, stop.thread), (5, child), "the stop in the child")
    equal(client.pc(child), t["child"], "the program counter in the child")
    client.remove(0, t["child"])
    stop = client.run(f"c:{child.split('.')[0]}.-1")
    equal((stop.kind, stop.code), ("W", 7), "the end of the child")


@scenario("lifetime", only="process")
def vfork_is_told(t):
    """A vfork and its end are told; breakpoints of the parent work afterwards."""
    t.need("vfork-events")
    client = t.client
    mind_no_children(t)
    t.go_to("body")
    t.request(VFORK)
    stop = client.run()
    child = stop.value("vfork")
    check(child is not None, f"the vfork was not told: {stop}")
    client.order("D;" + child.split(".")[0].lstrip("p"))
    stop = client.run()
    check(stop.has("vforkdone"), f"the end of the vfork was not told: {stop}")
    t.go_to("served")


def fork_without_interest(t):
    """A client that does not know of forks sees none: the child runs free, without traps, and the parent goes on."""
    client = t.connect(features="multiprocess+;swbreak+;vContSupported+;xmlRegisters=i386")
    mind_no_children(t)
    client.insert(0, t["child"])
    t.go_to("body")
    t.request(FORK)
    client.insert(0, t["served"])
    stop = client.run()
    equal(client.pc(stop.thread), t["served"], "the program counter")
    equal(len(client.threads()), 1, "the number of threads")
    t.request(VFORK)
    client.remove(0, t["served"])
    client.step(stop.thread)
    client.insert(0, t["served"])
    stop = client.run()
    equal(client.pc(stop.thread), t["served"], "the program counter after the vfork")


fork_without_interest.connects_itself = True
scenario("lifetime", only="process")(fork_without_interest)


@scenario("lifetime", only="process")
def exec_is_told(t):
    """An exec is told with the program's path; breakpoints of the old program do not stop the new one."""
    t.need("exec-events")
    client = t.client
    t.go_to("body")
    client.insert(0, t["range_second"])
    t.request(EXEC)
    client.remove(0, t["range_second"])
    stop = client.run()
    path = stop.value("exec")
    check(path is not None, f"the exec was not told: {stop}")
    check(bytes.fromhex(path), "the exec names no program")
    equal(client.pc(stop.thread), t["start"], "the program counter")
    t.go_to("body")
    equal(t.get("counter"), 1, "the counter of the new program")


@scenario("lifetime", only="process")
def exec_drops_breakpoints(t):
    """Breakpoints that were in at an exec are gone with the old memory, and may be set anew."""
    t.need("exec-events")
    client = t.client
    t.go_to("body")
    client.insert(0, t["served"])
    t.request(EXEC)
    stop = client.run()
    check(stop.has("exec"), f"the exec was not told: {stop}")
    check(not t.shows_trap("served"), "a trap of the old program shows in the new one")
    t.go_to("body")


@scenario("lifetime")
def extended_mode(t):
    """`!` is answered with OK where extended mode is known."""
    reply = t.client.request("!")
    check(reply in (b"OK", b"") or reply[:1] == b"E", f"! was answered with {reply!r}")


def lost_client(t):
    """A client that vanishes while the program runs upon a breakpoint does not hang the server."""
    client = t.connect()
    client.insert(0, t["body"])
    client.run()
    client.resume("c")
    client.close()
    t.connection.hang_up()
    t.connection.exit_code()


lost_client.connects_itself = True
scenario("lifetime")(lost_client)


def reconnect_resets_state(t):
    """A second client finds no points, no no-ack mode and no non-stop of the first one."""
    if not t.connection.reopens:
        raise Skip("this driver's connection is a pipe, which cannot be opened twice")
    client = t.connect()
    client.insert(0, t["body"])
    client.run()
    if client.features.get("QNonStop") == "+":
        client.set_non_stop()
    client.close()
    client = t.connect(no_ack=False)
    client.order("QStartNoAckMode")
    client.ack_mode = False
    equal(client.ask("?")[:1], b"T", "the first stop")
    t.go_to("range")
    Stop(client.ask("?"))


reconnect_resets_state.connects_itself = True
scenario("lifetime")(reconnect_resets_state)


def reconnect_while_it_runs(t):
    """The client vanishes while the program hits a breakpoint and others run: the next one finds it whole, and standing."""
    if not t.connection.reopens:
        raise Skip("this driver's connection is a pipe, which cannot be opened twice")
    client = t.connect()
    t.threads_at_worker(3)
    client.insert(0, t["body"], conditions=[bytecode.always(0) + bytecode.END])
    client.insert(0, t["worker"])
    client.resume("c")
    client.close()
    client = t.connect()
    equal(len(client.threads()), 4, "the number of threads")
    for name in ("body", "worker"):
        check(not t.shows_trap(name), f"the trap at fixture_{name} is still there")
    before = t.get("counter")
    t.go_to("body", count=2)
    check(t.get("counter") > before, "the program does not go on")


reconnect_while_it_runs.connects_itself = True
scenario("lifetime")(reconnect_while_it_runs)
