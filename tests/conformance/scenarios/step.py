"""Rung 5: steps."""

from registry import CALL, HANDLER, SIGNAL, THREADS, check, equal, scenario


@scenario("step")
def step_moves_one_instruction(t):
    """A step executes one instruction, calls and returns included."""
    client = t.client
    stop = t.go_to("call")
    for name in ("body", "body_second", "body_third", "range", "range_second"):
        stop = client.step(stop.thread)
        equal(stop.signal, 5, "the signal")
        equal(client.pc(stop.thread), t[name], f"the program counter at fixture_{name}")


@scenario("step")
def step_off_a_breakpoint(t):
    """A step from a breakpoint that is out goes one instruction; with it in again, the next round stops."""
    client = t.client
    stop = t.go_to("body")
    stop = client.step(stop.thread)
    equal(client.pc(stop.thread), t["body_second"], "the program counter")
    t.go_to("body")


@scenario("step")
def step_onto_a_breakpoint(t):
    """A step that ends where a breakpoint is has not hit it yet, or tells so; it is hit only once."""
    client = t.client
    stop = t.go_to("body")
    client.insert(0, t["body_second"])
    stop = client.step(stop.thread)
    equal(client.pc(stop.thread), t["body_second"], "the program counter")
    equal(stop.signal, 5, "the signal")


@scenario("step")
def step_many(t):
    """Two hundred steps follow the program's loop without losing it."""
    client = t.client
    stop = t.go_to("loop")
    low, high = t["loop"], t["body_third"] + 1
    for _ in range(200):
        stop = client.step(stop.thread)
        pc = client.pc(stop.thread)
        check(low <= pc < high, f"the step led to {pc:#x}")


@scenario("step")
def range_step(t):
    """A range step goes on until the program counter is outside, in one round trip."""
    if b";r" not in t.client.ask("vCont?"):
        from registry import Skip
        raise Skip("the server does not list r in vCont?")
    client = t.client
    stop = t.go_to("range")
    stop = client.run(f"r{t['range']:x},{t['range_end']:x}:{stop.thread}")
    equal(stop.signal, 5, "the signal")
    equal(client.pc(stop.thread), t["range_end"], "the program counter")


@scenario("step")
def range_step_stops_at_a_breakpoint(t):
    """A breakpoint inside the range ends a range step."""
    if b";r" not in t.client.ask("vCont?"):
        from registry import Skip
        raise Skip("the server does not list r in vCont?")
    client = t.client
    stop = t.go_to("range")
    client.insert(0, t["range_second"])
    stop = client.run(f"r{t['range']:x},{t['range_end']:x}:{stop.thread}")
    equal(client.pc(stop.thread), t["range_second"], "the program counter")


@scenario("step")
def range_step_into_a_call(t):
    """A range step stops on entering a function."""
    if b";r" not in t.client.ask("vCont?"):
        from registry import Skip
        raise Skip("the server does not list r in vCont?")
    client = t.client
    stop = t.go_to("call")
    stop = client.run(f"r{t['call']:x},{t['range_end']:x}:{stop.thread}")
    equal(client.pc(stop.thread), t["body"], "the program counter")


@scenario("step")
def range_step_is_interrupted(t):
    """^C ends a range step that would not end by itself."""
    if b";r" not in t.client.ask("vCont?"):
        from registry import Skip
        raise Skip("the server does not list r in vCont?")
    client = t.client
    stop = t.go_to("loop")
    client.resume(f"r{t['start']:x},{t['text']:x}:{stop.thread}")
    client.interrupt()
    equal(client.wait_stop().signal, 2, "the signal")


@scenario("step")
def step_into_a_handler(t):
    """A step with a signal leads into the program's handler."""
    client = t.client
    t.go_to("body")
    t.request(HANDLER, 10)
    t.go_to("served")
    t.request(SIGNAL, 10)
    stop = client.run()
    equal(stop.signal, 30, "the signal")
    stop = client.run(f"S1e:{stop.thread}")
    equal(client.pc(stop.thread), t["handler"], "the program counter")


@scenario("step", only="process")
def step_over_a_system_call(t):
    """A step over a system call ends behind it."""
    client = t.client
    t.go_to("body")
    t.request(CALL)
    stop = t.go_to("syscall")
    stop = client.step(stop.thread)
    equal(client.pc(stop.thread), t["syscall_after"], "the program counter")


@scenario("step")
def step_over_a_clone(t):
    """Steps across the birth of a thread stay with the thread that steps."""
    client = t.client
    stop = t.go_to("body")
    main = stop.thread
    t.request(THREADS, 1)
    t.go_to("range_end")
    for _ in range(120):
        stop = client.run(f"s:{main};c")
        equal((stop.signal, stop.thread), (5, main), "the stop")
        if client.pc(main) == t["served"]:
            equal(len(client.threads()), 2, "the number of threads")
            return
    check(False, "the steps did not come back from the request")


@scenario("step")
def step_while_others_hit_breakpoints(t):
    """A step beside threads that hit a breakpoint: the step is told, first or after them; nothing is lost."""
    client = t.client
    names = t.threads_at_worker(4)
    client.insert(0, t["worker"])
    pc = client.pc(names[0])
    for _ in range(200):
        stop = client.run(f"s:{names[0]};c")
        equal(stop.signal, 5, "the signal")
        if stop.thread == names[0]:
            check(client.pc(names[0]) != pc, "the step is told, but the thread did not move")
            return
        equal(client.pc(stop.thread), t["worker"], "the program counter of another")
    check(False, "the step was never told")
