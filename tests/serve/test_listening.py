"""Doors: where the server listens, whom it lets in, when it goes."""

import os
import select
import signal
import socket
import subprocess
import sys

from harness import (DEADLINE, GDBSERVER, TRAPLINE, VICTIM, Bench, Client, Ended, Hang, cut, eventually, run, state)


def test_serves_and_ends_with_the_program(bench):
    server = bench.serve(VICTIM)
    client = bench.connect(server)
    server.end_input()
    stop = client.run("c")
    assert stop.kind == "W" and stop.code == 7, stop
    client.close()
    assert server.wait() == 0
    text = server.errors.rest()
    assert "Process " + VICTIM + " created; pid = " in text, text
    assert "Child exited with status 7" in text, text
    assert "ticks " in server.out.rest()


def test_listens_on_loopback_only(bench):
    server = bench.serve(VICTIM, address=":0")
    with open("/proc/net/tcp") as file:
        lines = [line.split() for line in file.readlines()[1:]]
    local = [line[1] for line in lines if line[3] == "0A" and int(line[1].split(":")[1], 16) == server.port]
    assert local == [f"0100007F:{server.port:04X}"], local


def test_second_client_is_refused_and_harms_nobody(bench):
    server = bench.serve(VICTIM)
    first = bench.connect(server)
    before = first.register("rip")
    second = bench.connect(server, begin=False)
    second.ack_mode = False
    reply = second.request("qSupported")
    assert reply.startswith(b"E.Another client"), reply
    second.wait_closed()
    assert first.register("rip") == before
    server.end_input()
    assert first.run("c").code == 7


def test_second_client_while_the_program_runs(bench):
    server = bench.serve(VICTIM)
    first = bench.connect(server)
    first.resume("c")
    second = bench.connect(server, begin=False)
    second.wait_closed()
    first.interrupt()
    assert first.wait_stop().signal == 2


def test_reconnects_at_once(bench):
    server = bench.serve(VICTIM)
    for _ in range(20):
        client = bench.connect(server)
        assert client.request("?")[:3] == b"T05"
        client.close()


def test_busy_address(bench):
    server = bench.serve(VICTIM)
    for command in ([TRAPLINE, "--serve", f"127.0.0.1:{server.port}", VICTIM],
                    [GDBSERVER, f"localhost:{server.port}", VICTIM]):
        done = subprocess.run(command, capture_output=True, text=True, timeout=DEADLINE, stdin=subprocess.DEVNULL)
        assert done.returncode == 1, done
        assert "in use" in done.stderr, done.stderr
    assert "Can't bind address: Address already in use" in done.stderr, done.stderr


def test_once(bench):
    server = bench.serve("--once", VICTIM)
    client = bench.connect(server)
    try:
        socket.create_connection(("127.0.0.1", server.port), 1).close()
        raise AssertionError("a second connection was taken")
    except ConnectionRefusedError:
        pass
    pid = int(client.ask("?").decode().split("thread:p")[1].split(".")[0], 16)
    client.close()
    assert server.wait() == 0
    assert f"Killing process(es): {pid}" in server.errors.rest()
    assert state(pid) == ""


def test_multi_starts_and_outlives_programs(bench):
    server = bench.serve("--multi")
    for _ in range(2):
        client = bench.connect(server)
        client.order("!")
        assert client.ask("?") == b"W00"
        stop = client.ask("vRun;" + VICTIM.encode().hex() + ";" + b"show".hex())
        assert stop[:3] == b"T05", stop
        assert client.ask("qAttached") == b"0"
        assert client.run("c").code == 3
        client.close()
    assert server.process.poll() is None


def test_unix_socket(bench):
    path = os.path.join(bench.directory.name, "socket")
    server = bench.serve(VICTIM, address="unix:" + path)
    client = bench.connect(server, path=path)
    server.end_input()
    assert client.run("c").code == 7
    client.close()
    assert server.wait() == 0
    assert not os.path.exists(path)


def test_standard_streams(bench):
    ours, theirs = socket.socketpair()
    server = bench.start([TRAPLINE, "--serve", "-", VICTIM], "the server", stdin=theirs.fileno())
    theirs.close()
    # A socket on standard input alone: answers come out of standard output.
    descriptor = os.dup(ours.fileno())
    client = Client(descriptor, descriptor, "the server")
    client.stream_in = os.dup(server.process.stdout.fileno())
    bench.clients.append(client)
    client.start()
    stop = client.run("c")
    assert stop.kind == "W" and stop.code == 7, stop
    client.close()
    ours.close()
    assert server.wait() == 0
    text = server.errors.rest()
    assert "Remote debugging using stdio" in text and "ticks " in text, text


def raw_bytes(client, wanted):
    """That many bytes, as they come."""
    data = bytearray()
    while len(data) < wanted:
        ready, _, _ = select.select([client.stream_in], [], [], DEADLINE)
        part = os.read(client.stream_in, 1 << 20) if ready else b""
        if not part:
            raise Hang(f"{len(data)} of {wanted} bytes came")
        data += part
    return bytes(data)


def read_late(client):
    """Asks for more than any buffer on the way holds before it reads; every answer comes whole and in order."""
    start, end = next((int(part, 16) for part in line.split()[0].split("-"))
                      for line in open(f"/proc/{client.program}/maps") if "r-xp" in line and "/ld" in line)
    size = min(end - start, 100000)
    request = b"$m%x,%x#" % (start, size)
    request += b"%02x" % (sum(request[1:-1]) & 0xFF)
    os.write(client.stream_out, request)
    answer = bytearray(raw_bytes(client, 4))
    while answer[-3:-2] != b"#":
        answer += raw_bytes(client, 1)
    assert len(answer) > size, len(answer)
    count = 20_000_000 // len(answer)
    os.write(client.stream_out, request * count)
    assert raw_bytes(client, count * len(answer)) == answer * count
    assert client.request("?")[:3] == b"T05"


def test_client_that_reads_late(bench):
    server = bench.serve(VICTIM)
    client = bench.connect(server)
    client.program = int(server.errors.text.rpartition("pid = ")[2].split()[0])
    read_late(client)


def test_client_that_reads_late_from_a_pipe(bench):
    server = bench.start([TRAPLINE, "--serve", "-", VICTIM], "the server")
    client = Client(os.dup(server.process.stdout.fileno()), os.dup(server.process.stdin.fileno()), "the server")
    bench.clients.append(client)
    client.start()
    client.program = int(server.errors.expect(r"pid = (\d+)").group(1))
    read_late(client)


def test_interrupt_that_crosses_a_stop_holds_for_the_next_resume(bench):
    server = bench.serve(VICTIM)
    client = bench.connect(server)
    client.interrupt()
    stop = client.run("c")
    assert stop.signal == 2, stop
    server.end_input()
    assert client.run("c").code == 7


def test_client_that_says_half_a_packet(bench):
    server = bench.serve(VICTIM)
    client = bench.connect(server)
    client.write(b"$m1000")
    cut(client)
    server.errors.expect("Remote side has terminated connection")
    other = bench.connect(server)
    assert other.request("?")[:3] == b"T05"


def test_client_that_says_nonsense(bench):
    server = bench.serve(VICTIM)
    client = bench.connect(server, begin=False)
    client.write(bytes(range(256)) * 64 + b"$" + b"A" * 300000 + b"#00")
    client.close()
    server.errors.expect("Remote side has terminated connection")
    assert bench.connect(server).request("?")[:3] == b"T05"


def test_state_is_of_the_connection(bench):
    server = bench.serve(VICTIM)
    first = bench.connect(server)
    assert not first.ack_mode
    name = first.ask("vFile:open:" + b"/etc/passwd".hex() + ",0,0")
    assert name[:1] == b"F", name
    descriptor = name[1:].decode()
    first.close()
    second = bench.connect(server, begin=False)
    # Acknowledgements are back, and the other's file is not ours.
    second.start(features="")
    assert second.ask(f"vFile:close:{descriptor}")[:3] == b"F-1"


def test_signals_end_it(bench):
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        with Bench() as inner:
            server = inner.serve(VICTIM)
            pid = int(server.errors.text.split("pid = ")[1].split()[0])
            client = inner.connect(server)
            client.resume("c")
            server.process.send_signal(number)
            assert server.wait() == -number
            eventually(lambda p=pid: state(p) == "", "the program is gone")


if __name__ == "__main__":
    sys.exit(run(globals()))
