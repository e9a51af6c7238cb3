"""Launching: what a program is started with, and what is said when it cannot be."""

import os
import pathlib
import pwd
import re
import subprocess
import sys
import unittest.mock

from harness import (DEADLINE, GDBSERVER, TRAPLINE, VICTIM, Bench, cut, run, state)


def finish(bench, server):
    client = bench.connect(server)
    stop = client.run("c")
    assert stop.code == 3, stop
    client.close()
    assert server.wait() == 0
    return server.out.rest()


def test_arguments_are_the_programs_own(bench):
    for option in ("--shell", "--no-shell"):
        server = bench.serve(option, VICTIM, "show", "a b", "*", "--once", "$HOME", "it's \"quoted\"", "")
        text = finish(bench, server)
        assert "argument a b\nargument *\nargument --once\nargument $HOME\nargument it's \"quoted\"\nargument \n" in text


def test_directory(bench):
    server = bench.serve("--cwd", bench.directory.name, os.path.abspath(VICTIM), "show")
    assert f"directory {os.path.realpath(bench.directory.name)}\n" in finish(bench, server)


def test_wrapper(bench):
    server = bench.serve("--wrapper", "env", "VICTIM=wrapped", "--", VICTIM, "show")
    assert "variable wrapped\n" in finish(bench, server)


def test_wrapper_of_the_drop_in(bench):
    server = bench.serve("--wrapper", "env", "VICTIM=wrapped", "--", "localhost:0", VICTIM, "show", command=GDBSERVER)
    assert "variable wrapped\n" in finish(bench, server)


def start_from_client(bench, *packets):
    server = bench.serve("--multi")
    client = bench.connect(server)
    client.order("!")
    for packet in packets:
        client.order(packet)
    assert client.ask("vRun;" + os.path.abspath(VICTIM).encode().hex() + ";" + b"show".hex())[:3] == b"T05"
    assert client.run("c").code == 3
    client.close()
    server.out.expect("variable")
    server.out.expect("\n")
    return server.out.text


def test_environment_from_the_client(bench):
    setting = "QEnvironmentHexEncoded:" + b"VICTIM=from the client".hex()
    assert "variable from the client\n" in start_from_client(bench, setting)
    assert "variable unset\n" in start_from_client(bench, setting, "QEnvironmentUnset:" + b"VICTIM".hex())
    assert "variable unset\n" in start_from_client(bench, setting, "QEnvironmentReset")


def test_directory_from_the_client(bench):
    text = start_from_client(bench, "QSetWorkingDir:" + bench.directory.name.encode().hex())
    assert f"directory {os.path.realpath(bench.directory.name)}\n" in text


def test_directory_from_the_client_with_a_tilde(bench):
    account = pwd.getpwuid(os.getuid())
    home = pathlib.Path(os.path.realpath(bench.directory.name)) / "home"
    (home / "inner").mkdir(parents=True)
    with unittest.mock.patch.dict(os.environ, HOME=str(home)):
        for directory, expected in (("~", home), ("~/", home), ("~/inner", home / "inner"),
                                    ("~" + account.pw_name, os.path.realpath(account.pw_dir))):
            text = start_from_client(bench, "QSetWorkingDir:" + directory.encode().hex())
            assert f"directory {expected}\n" in text, (directory, text)


def test_restart_of_the_same_program(bench):
    server = bench.serve("--multi", VICTIM, "show")
    client = bench.connect(server)
    client.order("!")
    assert client.run("c").code == 3
    assert client.ask("vRun;;" + b"show".hex() + ";" + b"again".hex())[:3] == b"T05"
    assert client.run("c").code == 3
    server.out.expect("argument again")


def test_restart_packet(bench):
    server = bench.serve("--multi", VICTIM, "show")
    client = bench.connect(server)
    client.order("!")
    client.send("R00")
    server.errors.expect("GDBserver restarting")
    assert client.ask("?")[:3] == b"T05"
    assert client.ask("g")[:1] != b"E"
    assert client.run("c").code == 3


def test_bare_name_is_of_the_working_directory(bench):
    os.symlink(os.path.abspath(VICTIM), os.path.join(bench.directory.name, "victim"))
    server = bench.serve("127.0.0.1:0", "victim", "show", cwd=bench.directory.name, command=os.path.abspath(GDBSERVER))
    assert bench.connect(server).run("c").code == 3


def refused(*arguments):
    done = subprocess.run(arguments, capture_output=True, text=True, timeout=DEADLINE, stdin=subprocess.DEVNULL)
    return done.returncode, done.stderr


def test_program_that_is_not_there(bench):
    for command in ([TRAPLINE, "--serve", ":0"], [TRAPLINE, "--serve", ":0", "--no-shell"], [GDBSERVER, "localhost:0"],
                    [GDBSERVER, "--no-startup-with-shell", "localhost:0"]):
        status, text = refused(*command, "/nonexistent/program")
        assert status == 1, (command, status, text)
        assert "/nonexistent/program" in text and "Exiting" in text, text
        assert "Listening" not in text, text


def test_program_that_is_not_there_in_gdbservers_words(bench):
    status, text = refused(GDBSERVER, "stdio", "nonexistent-program")
    assert status == 1, text
    assert text.startswith("stdin/stdout redirected\n"), text
    assert text.endswith("not found\nDuring startup program exited with code 127.\nExiting\n"), text


def test_program_that_is_not_executable(bench):
    path = os.path.join(bench.directory.name, "text")
    with open(path, "w") as file:
        file.write("not a program\n")
    status, text = refused(TRAPLINE, "--serve", ":0", "--no-shell", path)
    assert status == 1 and path in text, (status, text)


def test_process_that_is_not_there(bench):
    for command in ([TRAPLINE, "--serve", ":0", "attach"], [GDBSERVER, "--attach", "localhost:0"]):
        status, text = refused(*command, "99999999")
        assert status == 1, text
        assert "Cannot attach to process 99999999" in text, text
    assert "Cannot attach to process 99999999: No such process (3)" in text, text


def test_process_that_another_traces(bench):
    first = bench.serve(VICTIM)
    pid = first.errors.text.split("pid = ")[1].split()[0]
    status, text = refused(TRAPLINE, "--serve", ":0", "attach", pid)
    assert status == 1 and "Cannot attach to process " + pid in text, (status, text)


def test_client_asks_for_what_cannot_be(bench):
    server = bench.serve("--multi")
    client = bench.connect(server)
    client.order("!")
    for packet in ("vRun;" + b"/nonexistent".hex(), "vRun;", "vRun;zz", "vAttach;5f5e0ff", "vAttach;", "vAttach;x"):
        reply = client.request(packet)
        assert reply[:1] == b"E", (packet, reply)
    assert client.ask("vRun;" + os.path.abspath(VICTIM).encode().hex())[:3] == b"T05"


def test_attach_from_the_client(bench):
    victim = bench.victim("thread")
    server = bench.serve("--multi")
    client = bench.connect(server)
    client.order("!")
    reply = client.ask(f"vAttach;{victim.pid:x}")
    assert reply[:3] == b"T05", reply
    assert len(client.threads()) == 2
    assert client.ask(f"qAttached:{victim.pid:x}") == b"1"
    client.order(f"D;{victim.pid:x}")
    victim.end_input()
    assert victim.wait() == 7
    assert server.process.poll() is None


def test_command_lines(bench):
    for arguments, word in (
            ([TRAPLINE, "--dap"], "not there yet"),
            ([TRAPLINE, "--serve"], "wants a value"),
            ([TRAPLINE, "--serve", ":0"], "nothing to debug"),
            ([TRAPLINE, "--serve", ":0", "attach"], "attach PID"),
            ([TRAPLINE, "--serve", ":0", "attach", "x"], "attach PID"),
            ([TRAPLINE, "--serve", ":0", "run"], "run PROGRAM"),
            ([TRAPLINE, "--serve", ":0", "kvm"], "wants something to run"),
            ([TRAPLINE, "--nonsense"], "--nonsense"),
            ([TRAPLINE, "--trace", "nonsense"], "nonsense"),
            ([TRAPLINE, "--on-disconnect", "nonsense"], "stop, continue")):
        status, text = refused(*arguments)
        assert status == 2 and word in text, (arguments, status, text)
    for arguments, word in (
            ([GDBSERVER], "Usage:"),
            ([GDBSERVER, "localhost:0"], "Usage:"),
            ([GDBSERVER, "--attach", "localhost:0"], "Usage:"),
            ([GDBSERVER, "--attach", "localhost:0", "x"], "Usage:"),
            ([GDBSERVER, "--nonsense"], "Unknown argument: --nonsense"),
            ([GDBSERVER, "--disable-packet=nonsense"], "Don't know how to disable \"nonsense\"."),
            ([GDBSERVER, "--debug-format=nonsense"], "Unknown debug-format argument: \"nonsense\""),
            ([GDBSERVER, "--wrapper", "env"], "--wrapper")):
        status, text = refused(*arguments)
        assert status == 1 and word in text, (arguments, status, text)


def lacks(bench, words, packets, stop):
    """A server with those packets disabled answers none of them, and its stop replies match `stop`."""
    server = bench.serve(f"--disable-packet={words}", "localhost:0", VICTIM, command=GDBSERVER)
    client = bench.connect(server, begin=False)
    client.ask("qSupported:multiprocess+;swbreak+;vContSupported+")
    for packet in ("vCont?", "vCtrlC", "qC", "qfThreadInfo", "qsThreadInfo"):
        assert (client.request(packet) == b"") == (packet.rstrip("?") in packets), (words, packet)
    reply = client.ask("?").decode()
    assert re.fullmatch(stop, reply), (words, reply)


def test_disabled_packets(bench):
    registers = "(?:[0-9a-f]{2}:[0-9a-f]+;)+"
    thread = "thread:p[0-9a-f]+.[0-9a-f]+;"
    for words, packets, stop in (
            ("vCont", ("vCont", "vCtrlC"), f"T05{thread}{registers}"),
            ("qC", ("qC",), f"T05{thread}{registers}"),
            ("qfThreadInfo", ("qfThreadInfo", "qsThreadInfo"), f"T05{thread}{registers}"),
            ("Tthread", (), f"T05{registers}"),
            ("threads", ("vCont", "vCtrlC", "qC", "qfThreadInfo", "qsThreadInfo"), f"T05{registers}"),
            ("T", (), "S05"),
            ("T,qC,vCont", ("vCont", "vCtrlC", "qC"), "S05")):
        with Bench() as inner:
            lacks(inner, words, packets, stop)


def test_selftest(bench):
    for option, least in (("--selftest", 10), ("--selftest=bytecode", 2)):
        done = subprocess.run([GDBSERVER, option], capture_output=True, text=True, timeout=DEADLINE)
        ran = re.search(r"\nRan (\d+) unit tests, 0 failed\n$", done.stdout)
        assert done.returncode == 0 and ran and int(ran.group(1)) >= least, done


if __name__ == "__main__":
    sys.exit(run(globals()))
