"""Rung 5: threads one by one, and non-stop."""

from registry import THREADS, Skip, check, equal, scenario


@scenario("threads")
def new_threads_are_listed(t):
    """Threads that come are in the list, alive, and have registers of their own."""
    names = t.threads_at_worker(4)
    stacks = set()
    for name in names:
        t.client.order("T" + name)
        stacks.add(t.client.register(t.driver.stack, name) if t.driver.stack in t.client.by_name or not t.client.by_name else name)
    equal(len(stacks), 5, "the number of different stack pointers")


@scenario("threads")
def threads_go(t):
    """Threads that end leave the list."""
    t.threads_at_worker(4)
    t.set("dismiss", 1)
    t.client.insert(0, t["body"])
    for _ in range(2000):
        stop = t.client.run()
        equal(stop.signal, 5, "the signal")
        if len(t.client.threads()) == 1:
            return
        t.client.remove(0, t["body"])
        t.client.step(stop.thread)
        t.client.insert(0, t["body"])
    check(False, f"threads that ended are listed still: {t.client.threads()}")


@scenario("threads")
def step_one_thread_only(t):
    """vCont with one thread's step and nothing for the others: no other thread moves."""
    client = t.client
    names = t.threads_at_worker(3)
    before = {name: client.pc(name) for name in names}
    stop = client.step(names[0])
    equal(stop.thread, names[0], "the thread that stopped")
    for name in names[1:]:
        equal(client.pc(name), before[name], f"the program counter of {name}")
    check(client.pc(names[0]) != before[names[0]], "the stepped thread did not move")


@scenario("threads")
def run_one_thread_only(t):
    """vCont;c:thread leaves the others where they stand."""
    client = t.client
    names = t.threads_at_worker(3)
    before = {name: client.pc(name) for name in names[1:]}
    client.insert(0, t["body"])
    stop = client.run(f"c:{names[0]}")
    equal((stop.thread, client.pc(stop.thread)), (names[0], t["body"]), "the thread that stopped, and where")
    for name, pc in before.items():
        equal(client.pc(name), pc, f"the program counter of {name}")


@scenario("threads")
def step_one_while_others_run(t):
    """vCont;s:one;c steps one and lets the others run; the step is what is told, or a breakpoint of another."""
    client = t.client
    names = t.threads_at_worker(3)
    pc = client.pc(names[0])
    stop = client.run(f"s:{names[0]};c")
    equal((stop.signal, stop.thread), (5, names[0]), "the stop")
    check(client.pc(names[0]) != pc, "the stepped thread did not move")


@scenario("threads")
def writes_to_one_threads_registers(t):
    """Registers written in one thread do not show in another."""
    client = t.client
    names = t.threads_at_worker(2)
    client.describe()
    spare = t.driver.spare
    if spare not in client.by_name:
        raise Skip(f"no {spare}")
    for number, name in enumerate(names):
        client.set_register(spare, 0x1000 + number, name)
    for number, name in enumerate(names):
        equal(client.register(spare, name), 0x1000 + number, f"{spare} of {name}")


@scenario("threads")
def interrupt_many(t):
    """^C while many threads run: one stop, everything stands."""
    client = t.client
    names = t.threads_at_worker(12)
    for _ in range(5):
        client.resume("c")
        client.interrupt()
        stop = client.wait_stop()
        equal(stop.signal, 2, "the signal")
        check(stop.thread in names, f"an unknown thread stopped: {stop.thread}")
        first = {name: client.pc(name) for name in names}
        equal({name: client.pc(name) for name in names}, first, "where the threads stand, read twice,")


@scenario("threads")
def non_stop_stops_one(t):
    """Non-stop: a breakpoint stops the thread that hit it; the others run on."""
    t.need("QNonStop")
    client = t.client
    t.threads_at_worker(2)
    client.set_non_stop()
    client.insert(0, t["body"])
    client.order("vCont;c")
    stops = client.stops()
    main = client.threads()[0]
    equal([stop.thread for stop in stops], [main], "the threads that stopped")
    equal(client.pc(main), t["body"], "the program counter")
    check(client.nothing_comes(0.05), "another thread stopped without a reason")


@scenario("threads")
def non_stop_stop_on_request(t):
    """Non-stop: vCont;t stops a running thread with signal 0."""
    t.need("QNonStop")
    client = t.client
    names = t.threads_at_worker(2)
    client.set_non_stop()
    client.order("vCont;c")
    client.order(f"vCont;t:{names[1]}")
    stops = client.stops()
    equal([(stop.thread, stop.signal) for stop in stops], [(names[1], 0)], "what stopped")
    client.order("vCont;t")
    seen = set()
    while len(seen) < 2:
        seen |= {stop.thread for stop in client.stops()}
    equal(seen, {names[0], names[2]}, "the others that stopped")


@scenario("threads")
def non_stop_question(t):
    """Non-stop: `?` tells every stopped thread once, through vStopped."""
    t.need("QNonStop")
    client = t.client
    names = t.threads_at_worker(2)
    client.set_non_stop()
    from client import Stop
    told = [Stop(client.ask("?")).thread]
    while True:
        reply = client.request("vStopped")
        if reply == b"OK":
            break
        told.append(Stop(reply).thread)
    equal(sorted(told), sorted(names), "the threads told")


@scenario("threads")
def non_stop_registers_of_a_running_thread(t):
    """Non-stop: asking the registers of a running thread is an error."""
    t.need("QNonStop")
    client = t.client
    names = t.threads_at_worker(1)
    client.set_non_stop()
    client.order(f"vCont;c:{names[1]}")
    client.select(names[1])
    reply = client.request("g")
    check(reply[:1] == b"E" or not reply.strip(b"x"), f"g of a running thread was answered with {reply[:40]!r}")
    client.order("vCont;t")
    client.stops()


@scenario("threads")
def non_stop_interrupt(t):
    """Non-stop: vCtrlC is answered with OK and stops a thread."""
    t.need("QNonStop")
    client = t.client
    client.set_non_stop()
    client.order("vCont;c")
    client.order("vCtrlC")
    stops = client.stops()
    check(stops and stops[0].signal in (0, 2), f"the stop is {stops}")


@scenario("threads")
def back_to_all_stop(t):
    """From non-stop back to all-stop: resumes get one stop reply again."""
    t.need("QNonStop")
    client = t.client
    client.set_non_stop()
    client.set_non_stop(False)
    t.go_to("body")
    check(client.nothing_comes(0.05), "a notification came in all-stop")


@scenario("threads")
def thread_events(t):
    """QThreadEvents: the birth of a thread stops it and is told."""
    t.need("QThreadEvents")
    client = t.client
    t.go_to("body")
    client.order("QThreadEvents:1")
    t.request(THREADS, 1)
    stop = client.run()
    check(stop.has("create"), f"the birth of a thread was not told: {stop}")
    check(stop.thread in client.threads(), "the new thread is not in the list")
    client.order("QThreadEvents:0")


@scenario("threads")
def thread_options_tell_of_a_clone(t):
    """QThreadOptions: the thread that makes another tells of it, both stand, and the new one has no options."""
    client = t.client
    if int(client.features.get("QThreadOptions", "0"), 16) & 1 == 0:
        raise Skip("no QThreadOptions with clones")
    t.go_to("body")
    before = client.threads()
    maker = client.ask("qC")[2:].decode()
    client.order(f"QThreadOptions;0;1:{maker}")
    t.request(THREADS, 1)
    stop = client.run()
    check(stop.has("clone"), f"the clone was not told: {stop}")
    equal(stop.thread, maker, "the thread that tells of it")
    (new,) = [name for name in client.threads() if name not in before]
    check(f"clone:{new};" in stop.payload.decode("latin-1"), f"the new thread is {new}: {stop}")
    client.pc(new)
    stop = client.step(new)
    equal(stop.thread, new, "the thread that was stepped")
    client.order("QThreadOptions;0")
    t.go_to("body")


@scenario("threads")
def thread_options_tell_of_an_exit(t):
    """QThreadOptions: the end of the thread that has the option is told, and of no other."""
    client = t.client
    if int(client.features.get("QThreadOptions", "0"), 16) & 2 == 0:
        raise Skip("no QThreadOptions with exits")
    names = t.threads_at_worker(2)
    client.order(f"QThreadOptions;0;2:{names[1]}")
    t.set("dismiss", 1)
    stop = client.run(f"c:{names[1]};c:{names[2]}")
    equal(stop.kind, "w", "the stop")
    check(stop.payload.decode().endswith(";" + names[1]), f"another thread's end was told: {stop}")
    client.order("QThreadOptions;0")


@scenario("threads")
def no_resumed_is_told(t):
    """no-resumed: when the only thread that was resumed ends, the client hears N."""
    t.need("no-resumed")
    client = t.client
    names = t.threads_at_worker(1)
    t.set("dismiss", 1)
    stop = client.run(f"c:{names[1]}")
    equal(stop.kind, "N", "the stop")


@scenario("threads")
def thread_names(t):
    """qThreadExtraInfo or qXfer:threads says something of each thread."""
    names = t.threads_at_worker(1)
    reply = t.client.request(f"qThreadExtraInfo,{names[0]}")
    if reply and reply[:1] != b"E":
        check(bytes.fromhex(reply.decode()), "an empty text")
        return
    t.need("qXfer:threads:read")
    check(b"<thread " in t.client.object("threads"), "no threads in the object")
