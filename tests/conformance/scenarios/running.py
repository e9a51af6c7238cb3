"""Rung 2: run, stop, signals, and the end."""

from registry import (CALL, EXIT, FAULT, HANDLER, PRINT, SIGNAL, TRAP, WAIT, Failed, Skip, check, equal, scenario)

SIGUSR1 = 30  # in the numbers of the protocol
SIGUSR1_LINUX = 10
SIGCHLD = 20
SIGCHLD_LINUX = 17
SIGSEGV = 11
SIGTRAP = 5
SIGINT = 2


def run_freely(t):
    """Sets the fixture going for good."""
    t.client.resume("c")


@scenario("run")
def interrupt_stops(t):
    """^C stops a running program with SIGINT, once."""
    run_freely(t)
    t.client.interrupt()
    stop = t.client.wait_stop("the stop after ^C")
    equal(stop.signal, SIGINT, "the signal")
    check(stop.thread is not None, f"the stop names no thread: {stop}")


@scenario("run")
def program_runs_on(t):
    """Between two interrupts the program has got on."""
    run_freely(t)
    t.client.interrupt()
    t.client.wait_stop()
    first = t.get("counter")
    for _ in range(20):
        run_freely(t)
        check(t.client.nothing_comes(0.02), "a stop without a reason")
        t.client.interrupt()
        t.client.wait_stop()
        if t.get("counter") != first:
            return
    raise Failed("the counter stands still")


@scenario("run")
def second_stop_reply_never_comes(t):
    """One resume, one stop reply, also when ^C comes again and again."""
    run_freely(t)
    t.client.write(b"\x03")
    t.client.wait_stop()
    t.client.write(b"\x03")
    check(t.client.nothing_comes(0.15), f"more came after the stop reply: {list(t.client.packets)}")
    equal(t.client.ask("?")[:1], b"T", "the reply to ? afterwards")
    t.client.insert(0, t["body"])
    if t.client.run().signal == SIGINT:  # the second ^C may be kept for the next resume
        t.client.run()
    equal(t.client.pc(), t["body"], "the program counter")


@scenario("run")
def interrupt_while_stopped_is_harmless(t):
    """^C to a stopped program makes no reply, and the next resume is good for at least one more stop."""
    t.client.interrupt()
    check(t.client.nothing_comes(0.15), "a reply to ^C while stopped")
    t.client.insert(0, t["body"])
    stop = t.client.run()
    if stop.signal == SIGINT:
        stop = t.client.run()
    equal(t.client.pc(), t["body"], "the program counter")


@scenario("run")
def last_stop_is_repeated(t):
    """`?` tells the last stop again."""
    stop = t.go_to("body")
    again = t.client.ask("?").decode()
    equal(again[:3], f"T{stop.signal:02x}", "the stop that ? tells")
    check(f"thread:{stop.thread}" in again, f"? names another thread: {again}")


@scenario("run")
def stop_reply_carries_registers(t):
    """A stop reply carries the program counter and the stack pointer, and they are right."""
    t.client.describe()
    stop = t.go_to("body")
    for name in (t.client.pc_name, t.driver.stack):
        if name not in t.client.by_name:
            continue
        number = t.client.by_name[name].number
        check(number in stop.registers, f"{name} is not in the stop reply {stop}")
        equal(int.from_bytes(stop.registers[number], "little"), t.client.register(name), name)


@scenario("run")
def written_registers_count(t):
    """A program counter written by the client is where the program goes on."""
    stop = t.go_to("body")
    t.client.set_register(t.client.pc_name, t["body_third"], stop.thread)
    last = t.get("last")
    t.go_to("call")
    equal(t.get("last"), last, "fixture_last, whose store was jumped over,")


@scenario("run")
def memory_written_counts(t):
    """What the client writes into memory, the program sees."""
    t.go_to("body")
    t.set("counter", 1000)
    t.go_to("body")
    equal(t.get("counter"), 1001, "the counter")


@scenario("run")
def signal_stops_and_is_withheld(t):
    """A signal stops the program before its delivery; resumed without it, the program never sees it."""
    t.go_to("body")
    t.request(HANDLER, SIGUSR1_LINUX)
    t.go_to("served")
    t.request(SIGNAL, SIGUSR1_LINUX)
    stop = t.client.run()
    equal(stop.signal, SIGUSR1, "the signal")
    t.go_to("body")
    equal(t.get("signals"), 0, "the number of signals that the program saw")


@scenario("run")
def signal_is_delivered(t):
    """Resumed with the signal, the program's handler runs once."""
    t.go_to("body")
    t.request(HANDLER, SIGUSR1_LINUX)
    t.go_to("served")
    t.request(SIGNAL, SIGUSR1_LINUX)
    equal(t.client.run().signal, SIGUSR1, "the signal")
    t.client.insert(0, t["body"])
    stop = t.client.run(f"C{SIGUSR1:02x}")
    equal(t.client.pc(stop.thread), t["body"], "the program counter afterwards")
    equal(t.get("signals"), 1, "the number of signals that the program saw")


@scenario("run")
def signal_kills(t):
    """A signal without a handler, once delivered, ends the program, and the end says which."""
    t.go_to("body")
    t.request(SIGNAL, SIGUSR1_LINUX)
    equal(t.client.run().signal, SIGUSR1, "the signal")
    stop = t.client.run(f"C{SIGUSR1:02x}")
    equal((stop.kind, stop.code), ("X", SIGUSR1), "the end")


@scenario("run")
def signal_injected_by_the_client(t):
    """C delivers a signal that never happened."""
    t.go_to("body")
    t.request(HANDLER, SIGUSR1_LINUX)
    t.go_to("served")
    t.client.insert(0, t["body"])
    t.client.run(f"C{SIGUSR1:02x}")
    equal(t.get("signals"), 1, "the number of signals that the program saw")


@scenario("run")
def passed_signals_do_not_stop(t):
    """QPassSignals: the program gets the signal, the client hears nothing."""
    t.go_to("body")
    t.request(HANDLER, SIGUSR1_LINUX)
    t.go_to("served")
    t.client.order(f"QPassSignals:{SIGUSR1:x}")
    t.request(SIGNAL, SIGUSR1_LINUX)
    t.go_to("served")
    equal(t.get("signals"), 1, "the number of signals that the program saw")


@scenario("run")
def fault_is_told(t):
    """A load from nowhere stops with SIGSEGV at the instruction."""
    t.go_to("body")
    t.request(FAULT)
    stop = t.client.run()
    equal(stop.signal, SIGSEGV, "the signal")
    equal(t.client.pc(stop.thread), t["fault"], "the program counter")


@scenario("run")
def own_trap_is_the_programs(t):
    """A trap instruction of the program's own is a SIGTRAP, and not a breakpoint of the client's."""
    t.go_to("body")
    t.request(TRAP)
    stop = t.client.run()
    equal(stop.signal, SIGTRAP, "the signal")
    pc = t.client.pc(stop.thread)
    check(pc in (t["trap"], t["trap_after"]), f"the program counter is {pc:#x}")
    t.client.set_register(t.client.pc_name, t["trap_after"])
    t.go_to("served")


@scenario("run")
def exit_code_is_told(t):
    """The end of the program says its status and its process."""
    t.go_to("body")
    t.request(EXIT, 42)
    stop = t.client.run()
    equal((stop.kind, stop.code), ("W", 42), "the end")
    if t.client.features.get("multiprocess") == "+":
        check(stop.process is not None, f"the end names no process: {stop}")


@scenario("run")
def after_the_end(t):
    """Requests after the end are answered with errors, and do not hang."""
    t.go_to("body")
    t.request(EXIT, 0)
    equal(t.client.run().kind, "W", "the end")
    for packet in ("g", f"m{t['buffer']:x},8", "vCont;c"):
        try:
            reply = t.client.request(packet)
        except Exception as error:  # a server that serves one program may close now
            if type(error).__name__ == "Ended":
                return
            raise
        check(reply[:1] == b"E" or reply == b"", f"{packet} after the end was answered with {reply!r}")


@scenario("run")
def blocked_call_is_interrupted(t):
    """^C stops a program that is blocked in a system call."""
    t.go_to("body")
    t.request(WAIT)
    t.client.resume("c")
    check(t.client.nothing_comes(0.05), "a stop came before ^C")
    t.client.interrupt()
    equal(t.client.wait_stop().signal, SIGINT, "the signal")


@scenario("run")
def requests_while_running(t):
    """Packets sent while the program runs in all-stop neither end the server nor lose the stop."""
    run_freely(t)
    t.client.send("g")
    t.client.interrupt()
    stop = None
    while stop is None:
        reply = t.client.receive("the stop after ^C")
        if reply[:1] in b"TS" and reply:
            stop = reply
        else:
            check(reply[:1] == b"E" or len(reply) > 100 or reply == b"", f"g while running: {reply!r}")
    t.client.expecting_stop = False


@scenario("run")
def output_reaches_somebody(t):
    """The program's own output does not end up between the packets."""
    t.go_to("body")
    t.request(PRINT)
    t.go_to("served")
    check(t.client.output in (b"", b"hello\n"), f"output: {t.client.output!r}")


@scenario("run", only="process")
def syscall_is_caught(t):
    """QCatchSyscalls stops at the entry and at the return of the call that was asked for, and no other."""
    t.need("QCatchSyscalls")
    t.go_to("body")
    number = f"{t.driver.calls['getpid']:x}"
    t.client.order("QCatchSyscalls:1;" + number)
    t.request(CALL)
    stop = t.client.run()
    equal(stop.value("syscall_entry"), number, "the entry")
    equal(t.client.pc(stop.thread), t["syscall_after"], "the program counter at the entry")
    stop = t.client.run()
    equal(stop.value("syscall_return"), number, "the return")
    t.client.order("QCatchSyscalls:0")
    t.request(CALL)
    t.go_to("served")


@scenario("run", only="process")
def every_syscall_is_caught(t):
    """QCatchSyscalls:1 stops at all of them."""
    t.need("QCatchSyscalls")
    t.go_to("body")
    t.client.order("QCatchSyscalls:1")
    t.request(SIGNAL, SIGCHLD_LINUX)
    calls = []
    while len(calls) < 3:
        stop = t.client.run()
        if stop.value("syscall_entry"):
            calls.append(int(stop.value("syscall_entry"), 16))
    equal(calls, [t.driver.calls[name] for name in ("getpid", "gettid", "tgkill")], "the calls")


@scenario("run")
def plain_c_and_s(t):
    """The old packets c and s still do what they did."""
    client = t.client
    client.insert(0, t["body"])
    client.select("0", "c")
    client.send("c")
    equal(client.wait_stop().signal, SIGTRAP, "the signal after c")
    equal(client.pc(), t["body"], "the program counter after c")
    client.remove(0, t["body"])
    if "step" not in t.driver.rungs:
        raise Skip("no steps")
    client.select(client.threads()[0], "c")
    client.send("s")
    client.wait_stop()
    equal(client.pc(), t["body_second"], "the program counter after s")
