"""Leaving: no trap byte and no armed debug register stays in a program, however the client or the server goes."""

import signal
import sys

from harness import (GDBSERVER, VICTIM, Bench, bytecode, cut, eventually, memory, run, state, symbol, tracer)

TICK = symbol("tick")
WATCHED = symbol("watched")


def arm(client):
    """Points of every sort, none of which stops by itself while nothing runs."""
    client.insert(0, TICK)
    client.insert(1, TICK)
    client.insert(2, WATCHED, 8)
    client.insert(4, symbol("ticks"), 8)


def assert_whole(pid):
    file_bytes = open(VICTIM, "rb").read()
    assert memory(pid, TICK, 4) in file_bytes and memory(pid, TICK, 1) != b"\xcc", memory(pid, TICK, 4)


def assert_runs_to_its_end(victim):
    """With a trap or a debug register left behind, SIGTRAP would kill it."""
    eventually(lambda: state(victim.pid) in "RS", "the program runs")
    assert tracer(victim.pid) == 0
    before = memory(victim.pid, symbol("ticks"), 8)
    eventually(lambda: memory(victim.pid, symbol("ticks"), 8) != before, "the program ticks")
    victim.end_input()
    assert victim.wait() == 7


def attached(bench, *options):
    victim = bench.victim("thread", "thread")
    server = bench.serve(*options, "attach", str(victim.pid))
    client = bench.connect(server)
    arm(client)
    return victim, server, client


def test_detach(bench):
    victim, server, client = attached(bench)
    client.order(f"D;{victim.pid:x}")
    assert_whole(victim.pid)
    assert_runs_to_its_end(victim)
    assert server.wait() == 0
    assert f"Detaching from process {victim.pid}" in server.errors.rest()


def test_detach_after_hits(bench):
    victim, _, client = attached(bench)
    for _ in range(10):
        stop = client.run("c")
        assert stop.signal == 5, stop
    client.order(f"D;{victim.pid:x}")
    assert_whole(victim.pid)
    assert_runs_to_its_end(victim)


def test_lost_while_stopped_keeps_it_stopped(bench):
    victim, server, client = attached(bench)
    cut(client)
    server.errors.expect("Remote side has terminated connection")
    assert state(victim.pid) == "t"
    assert_whole(victim.pid)
    other = bench.connect(server)
    other.order(f"D;{victim.pid:x}")
    assert_runs_to_its_end(victim)


def test_lost_while_running_stops_it(bench):
    victim, server, client = attached(bench)
    for kind, address, size in ((0, TICK, 1), (1, TICK, 1), (2, WATCHED, 8), (4, symbol("ticks"), 8)):
        client.remove(kind, address, size)
    client.resume("c")
    eventually(lambda: state(victim.pid) in "RS", "the program runs")
    cut(client)
    server.errors.expect("Remote side has terminated connection")
    assert state(victim.pid) == "t"
    other = bench.connect(server)
    other.order(f"D;{victim.pid:x}")
    assert_runs_to_its_end(victim)


def test_lost_while_hits_pour_in(bench):
    for _ in range(5):
        with Bench() as inner:
            victim, server, client = attached(inner)
            client.resume("c")
            cut(client)
            server.errors.expect("Remote side has terminated connection")
            assert_whole(victim.pid)
            other = inner.connect(server)
            other.order(f"D;{victim.pid:x}")
            assert_runs_to_its_end(victim)


def test_lost_continue(bench):
    victim, server, client = attached(bench, "--on-disconnect", "continue")
    cut(client)
    server.errors.expect("Remote side has terminated connection")
    eventually(lambda: state(victim.pid) in "RS", "the program runs")
    assert tracer(victim.pid) == server.pid
    other = bench.connect(server)
    assert other.ask("?")[:1] == b"T"
    other.order(f"D;{victim.pid:x}")
    assert_runs_to_its_end(victim)


def test_lost_detach(bench):
    victim, server, client = attached(bench, "--on-disconnect", "detach")
    cut(client)
    assert server.wait() == 0
    assert_whole(victim.pid)
    assert_runs_to_its_end(victim)


def test_a_client_may_say_whether_its_loss_ends_the_program(bench):
    victim, server, client = attached(bench)
    client.order("QSetDetachOnError:1")
    client.order("QSetDetachOnError:0")
    cut(client)
    assert server.wait() == 0
    assert victim.wait() == -signal.SIGKILL
    for policy, stays in (("kill", False), ("stop", True)):
        with Bench() as inner:
            victim, server, client = attached(inner, "--on-disconnect", policy)
            client.order("QSetDetachOnError:1")
            cut(client)
            if stays:
                server.errors.expect("Remote side has terminated connection")
                assert state(victim.pid) == "t"
                # The next client has its own word.
                cut(inner.connect(server))
                server.errors.expect("Remote side has terminated connection")
                inner.connect(server).order(f"D;{victim.pid:x}")
            else:
                assert server.wait() == 0
            assert_runs_to_its_end(victim)


def test_lost_kill(bench):
    victim, server, client = attached(bench, "--on-disconnect", "kill")
    cut(client)
    assert server.wait() == 0
    assert victim.wait() == -signal.SIGKILL


def test_terminated(bench):
    for running in (False, True):
        with Bench() as inner:
            victim, server, client = attached(inner)
            if running:
                client.resume("c")
            server.process.send_signal(signal.SIGTERM)
            assert server.wait() == -signal.SIGTERM
            assert_whole(victim.pid)
            assert_runs_to_its_end(victim)


def test_monitor_exit(bench):
    victim, server, client = attached(bench)
    assert client.ask("qRcmd," + b"exit".hex()) == b"OK"
    assert server.wait() == 0
    assert_whole(victim.pid)
    assert_runs_to_its_end(victim)


PERSISTENT = ("Persistent commands are present, leaving gdbserver attached to the process")


def persistent(bench, *options):
    """A client that has put a command into the program that is to go on when it has gone, and another that is not."""
    victim = bench.victim("thread", "thread")
    server = bench.serve(*options, "--attach", "localhost:0", str(victim.pid), command=GDBSERVER)
    client = bench.connect(server)
    arm(client)
    client.remove(0, TICK)
    client.remove(1, TICK)
    client.insert(0, TICK, commands=[bytecode.printf("tick\n") + bytecode.END], persist=True)
    client.insert(0, symbol("tick_on"), commands=[bytecode.printf("never\n") + bytecode.END])
    return victim, server, client


def assert_goes_on(victim, server):
    """Unattended and yet traced, the program runs, and so do the commands."""
    eventually(lambda: state(victim.pid) in "RS", "the program runs")
    assert tracer(victim.pid) == server.pid
    assert memory(victim.pid, TICK, 1) == b"\xcc" and memory(victim.pid, symbol("tick_on"), 1) != b"\xcc"
    server.out.expect("tick\ntick\n")
    before = memory(victim.pid, symbol("ticks"), 8)
    eventually(lambda: memory(victim.pid, symbol("ticks"), 8) != before, "the program ticks")


def take_back(bench, victim, server):
    """The next client finds the program as the one before it left it, standing still, and takes the rest out."""
    other = bench.connect(server)
    assert other.ask("?")[:3] == b"T05"
    assert len(other.threads()) == 3 and state(victim.pid) == "t"
    other.remove(0, TICK)
    other.order(f"D;{victim.pid:x}")
    assert_whole(victim.pid)
    assert_runs_to_its_end(victim)
    assert server.wait() == 0


def test_detach_with_commands_that_persist(bench):
    victim, server, client = persistent(bench)
    client.order(f"D;{victim.pid:x}")
    server.errors.expect(PERSISTENT)
    server.errors.expect("will reopen the connection")
    assert_goes_on(victim, server)
    take_back(bench, victim, server)


def test_detach_in_non_stop_with_commands_that_persist(bench):
    victim, server, client = persistent(bench)
    client.set_non_stop()
    client.order("vCont;c")
    client.order(f"D;{victim.pid:x}")
    server.errors.expect(PERSISTENT)
    assert_goes_on(victim, server)
    take_back(bench, victim, server)


def test_the_client_stays_and_comes_back_to_commands_that_persist(bench):
    victim, server, client = persistent(bench)
    client.order("!")
    client.order(f"D;{victim.pid:x}")
    assert_goes_on(victim, server)
    assert client.ask("qfThreadInfo") == b"l"
    reply = client.ask(f"vAttach;{victim.pid:x}")
    while reply[:1] == b"O":  # what the commands printed on the way to the stop
        reply = client.receive("the stop")
    assert reply[:3] == b"T05", reply
    assert len(client.threads()) == 3
    client.order(f"D;{victim.pid:x}")
    assert_goes_on(victim, server)
    client.close()
    server.errors.expect("will reopen the connection")
    assert_goes_on(victim, server)
    other = bench.connect(server)
    assert other.ask("?")[:3] == b"T05"
    other.remove(0, TICK)
    other.order(f"D;{victim.pid:x}")
    assert_whole(victim.pid)
    assert_runs_to_its_end(victim)


def test_lost_with_commands_that_persist(bench):
    """As gdbserver: a program that stood still goes on standing still, its commands in it. One that ran runs."""
    victim, server, client = persistent(bench)
    cut(client)
    server.errors.expect("will reopen the connection")
    assert state(victim.pid) == "t" and memory(victim.pid, TICK, 1) == b"\xcc"
    other = bench.connect(server)
    other.resume("c")
    before = memory(victim.pid, symbol("ticks"), 8)
    eventually(lambda: memory(victim.pid, symbol("ticks"), 8) != before, "the program ticks")
    cut(other)
    server.errors.expect("will reopen the connection")
    assert_goes_on(victim, server)
    take_back(bench, victim, server)


def test_the_program_ends_while_nobody_is_there(bench):
    for options in ((), ("--once",)):
        with Bench() as inner:
            victim, server, client = persistent(inner, *options)
            client.order(f"D;{victim.pid:x}")
            assert_goes_on(victim, server)
            victim.end_input()
            assert victim.wait() == 7
            assert server.wait() == 0
            assert "Child exited with status 7" in server.errors.rest()


def test_terminated_while_nobody_is_there(bench):
    victim, server, client = persistent(bench)
    client.order(f"D;{victim.pid:x}")
    assert_goes_on(victim, server)
    server.process.send_signal(signal.SIGTERM)
    assert server.wait() == -signal.SIGTERM
    assert_whole(victim.pid)
    assert_runs_to_its_end(victim)


def test_kill(bench):
    server = bench.serve(VICTIM)
    client = bench.connect(server)
    pid = int(server.errors.text.split("pid = ")[1].split()[0])
    arm(client)
    client.send("k")
    assert server.wait() == 0
    assert state(pid) == ""
    assert "Killing all inferiors" in server.errors.rest()


def test_server_killed(bench):
    """A program that we started dies with us."""
    server = bench.serve(VICTIM)
    pid = int(server.errors.text.split("pid = ")[1].split()[0])
    server.process.kill()
    server.wait()
    eventually(lambda: state(pid) in ("", "Z"), "the program is gone")


if __name__ == "__main__":
    sys.exit(run(globals()))
