"""Rung 7: objects."""

import struct

from registry import FAULT, SIGNAL, Skip, check, equal, scenario


@scenario("objects", only="process")
def auxiliary_vector(t):
    """The auxiliary vector is pairs of words that end with AT_NULL, and knows the page size."""
    t.need("qXfer:auxv:read")
    data = t.client.object("auxv")
    equal(len(data) % 16, 0, "the odd bytes of the vector")
    pairs = dict(struct.iter_unpack("<QQ", data))
    equal(pairs.get(6), 4096, "AT_PAGESZ")
    check(0 in pairs, "there is no AT_NULL")


@scenario("objects", only="process")
def executable_file(t):
    """exec-file is an absolute path."""
    t.need("qXfer:exec-file:read")
    check(t.client.object("exec-file")[:1] == b"/", "the path is not absolute")


@scenario("objects", only="process")
def siginfo(t):
    """siginfo tells the signal that stopped the thread, and may be written."""
    t.need("qXfer:siginfo:read")
    t.go_to("body")
    t.request(FAULT)
    t.client.run()
    data = t.client.object("siginfo")
    equal(struct.unpack_from("<i", data)[0], 11, "si_signo")
    check(len(data) >= 128, f"siginfo has {len(data)} bytes")


@scenario("objects", only="process")
def siginfo_of_a_sent_signal(t):
    """siginfo of a signal that was sent by tgkill has SI_TKILL."""
    t.need("qXfer:siginfo:read")
    t.go_to("body")
    t.request(SIGNAL, 10)
    t.client.run()
    signal, _, code = struct.unpack_from("<iii", t.client.object("siginfo"))
    equal((signal, code), (10, -6), "si_signo and si_code")


@scenario("objects")
def parts_past_the_end(t):
    """Reading an object behind its end gives an empty last part."""
    equal(t.client.ask("qXfer:features:read:target.xml:fffff,100"), b"l", "the part behind the end")


@scenario("objects")
def memory_region(t):
    """qMemoryRegionInfo tells code from data from nothing."""
    reply = t.client.request(f"qMemoryRegionInfo:{t['body']:x}")
    if reply == b"":
        raise Skip("the server does not know qMemoryRegionInfo")
    fields = dict(part.split(b":", 1) for part in reply.split(b";") if b":" in part)
    check(b"x" in fields.get(b"permissions", b""), f"code is not executable: {reply!r}")
    fields = dict(part.split(b":", 1) for part in t.client.ask(f"qMemoryRegionInfo:{t['buffer']:x}").split(b";")
                  if b":" in part)
    check(b"w" in fields.get(b"permissions", b""), f"data is not writable: {fields}")
    fields = dict(part.split(b":", 1) for part in t.client.ask("qMemoryRegionInfo:0").split(b";") if b":" in part)
    check(not fields.get(b"permissions"), f"address 0 has permissions: {fields}")


@scenario("objects")
def monitor_help(t):
    """monitor help says something."""
    reply = t.client.ask("qRcmd," + b"help".hex())
    text = b""
    while reply[:1] == b"O" and reply != b"OK":
        text += bytes.fromhex(reply[1:].decode())
        reply = t.client.receive("the rest of monitor help")
    if reply != b"OK":
        text += bytes.fromhex(reply.decode())
    check(text, "monitor help says nothing")
