"""A server whose target is another server: what the two do together that one conversation of tests/conformance does not."""

import os
import shutil
import sys

from harness import DEADLINE, TRAPLINE, VICTIM, eventually, run, state, symbol, tracer

WORDS = ["a b", "*", "--once", "$HOME", "it's \"quoted\"", "back\\slash"]


def extended(bench, stub):
    """Both in extended mode, without a program; and a client."""
    server = bench.serve("--multi", "connect", "| exec " + stub)
    client = bench.connect(server)
    client.order("!")
    return server, client


STUB = os.path.abspath(TRAPLINE)


def stubs():
    """Ours, and gdbserver where it is installed."""
    yield f"{STUB} --serve - --multi"
    if shutil.which("gdbserver"):
        yield "gdbserver --multi -"


def test_a_program_is_started_by_the_stub(bench):
    server, client = extended(bench, f"{STUB} --serve - --multi")
    client.order("QEnvironmentHexEncoded:" + b"VICTIM=from afar".hex())
    client.order("QSetWorkingDir:" + bench.directory.name.encode().hex())
    words = [os.path.abspath(VICTIM), "show"] + WORDS
    assert client.ask("vRun;" + ";".join(word.encode().hex() for word in words), timeout=2 * DEADLINE)[:1] == b"T"
    assert client.run("c").code == 3
    client.close()
    # Its output is that of whoever started it.
    text = server.errors.expect(r"(?s)argument a b.*variable [^\n]*\n").group(0)
    assert text == ("".join(f"argument {word}\n" for word in WORDS)
                    + f"directory {os.path.realpath(bench.directory.name)}\nvariable from afar\n"), text


def test_a_process_is_attached_to_and_let_go(bench):
    for stub in stubs():
        victim = bench.victim("thread")
        server, client = extended(bench, stub)
        stop = client.ask(f"vAttach;{victim.pid:x}")
        assert stop[:1] == b"T", stop
        assert tracer(victim.pid) != 0
        assert len(client.threads()) == 2, client.threads()
        client.insert(0, symbol("tick"))
        assert client.run("c").signal == 5
        client.remove(0, symbol("tick"))
        client.order(f"D;{victim.pid:x}")
        assert tracer(victim.pid) == 0
        client.close()
        server.kill()
        victim.end_input()
        assert victim.wait() == 7


def test_what_cannot_be_connected_to_is_said(bench):
    for address, words in ((":1", "nobody listens there"), ("unix:/nowhere/at/all", "nobody listens there"),
                           ("| exec false", "closed the connection"), ("| echo hello", "closed the connection"),
                           ("nonsense", "is not an address"), ("-", "standard input"),
                           (f"| exec {STUB} --serve - --multi", "no program to debug")):
        server = bench.start([TRAPLINE, "--serve", "127.0.0.1:0", "connect", address], "the server")
        assert server.wait() != 0, address
        assert words in server.errors.rest(), (address, server.errors.text)


def test_a_command_has_no_terminal_of_ours(bench):
    """gdbserver gives the terminal that it finds to its program, and who reads from it then is at the end of input."""
    script = "import os, sys; sys.stderr.write('own session\\n' if os.getsid(0) == os.getppid() else 'ours\\n')"
    server = bench.start([TRAPLINE, "--serve", "127.0.0.1:0", "connect", f'| exec {sys.executable} -c "{script}"'],
                         "the server")
    server.errors.expect("own session")
    assert server.wait() != 0


def test_a_stub_that_dies_ends_the_program_for_the_client(bench):
    server = bench.serve("connect", f"| exec {STUB} --serve - /bin/sleep 100")
    client = bench.connect(server)
    stop = client.ask("?")
    pid = int(stop.decode().split("thread:p")[1].split(".")[0], 16)
    stub = tracer(pid)
    client.resume("c")
    eventually(lambda: state(pid) == "S", "the stub's program sleeps")
    os.kill(stub, 9)
    stop = client.wait_stop()
    assert stop.kind == "X", stop
    server.errors.expect("closed the connection")
    eventually(lambda: state(pid) in ("", "Z"), "the stub's program ends with it")


sys.exit(run(globals()))
