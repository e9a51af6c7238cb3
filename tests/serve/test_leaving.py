"""Leaving: no trap byte and no armed debug register stays in a program, however the client or the server goes."""

import signal
import sys

from harness import (VICTIM, Bench, cut, eventually, memory, run, state, symbol, tracer)

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
