"""Rung 1: attach and look. Registers, memory, threads, the description, and packets that are no packets."""

import os

from client import Refused, Unsupported, checksum
from registry import Failed, Skip, check, equal, scenario


@scenario("look")
def first_stop(t):
    """The first `?` tells of a stopped thread at the fixture's first instruction."""
    check(t.first.kind in "TS", f"the first stop is {t.first}")
    check(t.first.thread is not None, f"the first stop names no thread: {t.first}")
    equal(t.client.pc(), t["start"], "the program counter at the start")


@scenario("look")
def description_is_well_formed(t):
    """target.xml parses, names an architecture, and gives every register a name and a number of its own."""
    root = t.client.describe()
    check(root.find("architecture") is not None, "the description has no <architecture>")
    numbers = [register.number for register in t.client.registers]
    names = [register.name for register in t.client.registers]
    equal(len(set(numbers)), len(numbers), "the count of different register numbers")
    equal(len(set(names)), len(names), "the count of different register names")
    check("rip" in names or "pc" in names, f"no program counter in {names}")
    for register in t.client.registers:
        check(register.bits in (8, 16, 32, 64, 80, 128, 256, 512), f"{register.name} is {register.bits} bits wide")


@scenario("look")
def description_in_pieces(t):
    """The description is the same whether it is read whole or in pieces of 100 bytes."""
    equal(t.client.object("features", "target.xml", 100), t.client.object("features", "target.xml"),
          "the description in pieces")


@scenario("look")
def g_holds_every_register(t):
    """The g packet is exactly as long as the registers of the description."""
    t.client.describe()
    size = max(register.offset + register.size for register in t.client.registers)
    equal(len(t.client.all_registers()), 2 * size, "the length of g")


@scenario("look")
def G_writes_registers(t):
    """What G writes, g reads back, and nothing else changes."""
    client = t.client
    client.describe()
    name = "rbx" if "rbx" in client.by_name else client.registers[0].name
    before = client.all_registers()
    client.set_register(name, 0x1122334455667788)
    after = client.all_registers()
    equal(client.register(name), 0x1122334455667788, name)
    at = 2 * client.by_name[name].offset
    equal(after[:at] + before[at:at + 16] + after[at + 16:], before, "the rest of the registers")


@scenario("look")
def p_reads_one_register(t):
    """p gives the same bytes as g, for every register."""
    client = t.client
    client.describe()
    whole = client.all_registers()
    for register in client.registers:
        reply = client.ask(f"p{register.number:x}")
        equal(reply, whole[2 * register.offset:2 * (register.offset + register.size)], register.name)


@scenario("look")
def P_writes_one_register(t):
    """P writes a register; g and p read it back."""
    client = t.client
    client.describe()
    name = "rbx" if "rbx" in client.by_name else client.registers[0].name
    value = (0x0123456789ABCDEF).to_bytes(8, "little").hex()
    client.order(f"P{client.by_name[name].number:x}={value}")
    equal(client.register(name), 0x0123456789ABCDEF, name)


@scenario("look")
def unknown_registers_are_refused(t):
    """p and P of a register number that does not exist are errors."""
    for packet in ("pffff", "Pffff=00", "p", "P0"):
        reply = t.client.request(packet)
        check(reply == b"" or reply[:1] == b"E", f"{packet} was answered with {reply!r}")


@scenario("look")
def short_G_changes_nothing(t):
    """A G packet that is too short is an error and changes no register, or sets just those that it has."""
    before = t.client.all_registers()
    reply = t.client.request("G" + before[:15].decode())
    check(reply == b"OK" or reply[:1] == b"E", f"a G of odd length was answered with {reply!r}")
    equal(t.client.all_registers(), before, "the registers after it")


@scenario("look")
def memory_reads_back(t):
    """Reads give the program's bytes; writes of 1 to 64 bytes at odd addresses read back."""
    client = t.client
    equal(client.read(t["buffer"], 256), bytes(range(256)), "fixture_buffer")
    for size in (1, 2, 3, 4, 7, 8, 15, 33, 64):
        data = os.urandom(size)
        client.write_memory(t["buffer"] + 1, data)
        equal(client.read(t["buffer"], size + 2), b"\x00" + data + client.read(t["buffer"] + size + 1, 1),
              f"memory after writing {size} bytes")


@scenario("look")
def X_writes_binary(t):
    """X writes bytes that need escapes, and a write of no bytes is fine."""
    from client import escape
    data = bytes(range(256))
    t.client.write_memory(t["buffer"], bytes(256))
    t.client.order(f"X{t['buffer']:x},0:")
    t.client.order(f"X{t['buffer']:x},100:".encode() + escape(data))
    equal(t.client.read(t["buffer"], 256), data, "memory after X")


@scenario("look")
def x_reads_binary(t):
    """x reads binary memory, the same bytes as m."""
    from client import unescape
    t.need("binary-upload")
    reply = t.client.ask(f"x{t['buffer']:x},100")
    equal(reply[:1], b"b", "the first byte of the reply to x")
    equal(unescape(reply[1:]), bytes(range(256)), "memory by x")


@scenario("look")
def code_is_writable(t):
    """Writes to code ignore its protection."""
    before = t.client.read(t["fault"], 4)
    t.client.write_memory(t["fault"], b"\x90\x90\x90\x90")
    equal(t.client.read(t["fault"], 4), b"\x90\x90\x90\x90", "the code")
    t.client.write_memory(t["fault"], before)


@scenario("look")
def unmapped_memory_is_refused(t):
    """Reading and writing where nothing is mapped is an error, not silence and not zeros."""
    for packet in ("m0,8", "m8,1", "M8,1:00", "mfffffffffffffff0,20", "mdeadbeef0000,4"):
        reply = t.client.request(packet)
        check(reply[:1] == b"E", f"{packet} was answered with {reply!r}")


@scenario("look")
def read_up_to_the_end(t):
    """A read that runs off mapped memory gives what there is, or an error, never made-up bytes."""
    end = t.symbols["_end"]
    page_end = (end + 4095) & ~4095
    last = t.client.read(page_end - 8, 8)
    reply = t.client.request(f"m{page_end - 8:x},40")
    check(reply[:1] == b"E" or bytes.fromhex(reply.decode())[:8] == last,
          f"a read across the end was answered with {reply!r}")
    if reply[:1] != b"E":
        check(len(reply) < 2 * 0x40, "a read across the end of the mapping gave all the bytes")


@scenario("look")
def reads_of_nothing(t):
    """m of no bytes is answered, and a length beyond all bounds does no harm."""
    reply = t.client.request(f"m{t['buffer']:x},0")
    check(reply == b"" or reply[:1] == b"E" or reply == b"OK", f"m of no bytes was answered with {reply!r}")
    for length in ("7fffffff", "ffffffffffffffff", "fffffffffffffffff"):
        reply = t.client.request(f"m{t['buffer']:x},{length}")
        check(len(reply) < 1 << 21, "an absurd read gave an absurd reply")
    equal(t.client.read(t["buffer"], 4), bytes(range(4)), "memory after absurd requests")


@scenario("look")
def malformed_packets(t):
    """Packets that end too early, or hold nonsense, get one reply each and change nothing."""
    client = t.client
    client.describe()
    before = client.all_registers()
    for packet in ("m", "m,", "m1", "mzz,4", "M", "M10", "M10,4", f"M{t['buffer']:x},4:12", "X", "X1", "G", "Gzz", "H",
                   "Hg", "Hgzz", "Hg-2", "T", "Tzz", "z", "Z", "Z0", "Z0,", "Z0,zz,1", "Z9,0,1", "z7,0,1", "Z0,1000",
                   "vCont", "vCont;", "vCont;q", "vCont;s:zz", "qXfer", "qXfer:features:read",
                   "qXfer:features:read:target.xml", "qXfer:features:read:target.xml:0", "qXfer:nonsense:read::0,10",
                   "qXfer:features:read:nonsense.xml:0,10", "QNonStop:", "QNonStop:2", "QPassSignals:zz",
                   "qRcmd", "qRcmd,zz", "qThreadExtraInfo,zz", "vKill;zz", "_", "\x80\x81", "!!" * 300, "jNonsense:{}"):
        reply = client.request(packet)
        check(not reply or reply[:1] in b"EOlm" or packet[:2] in ("G", "H", "Hg") or reply[:2] == b"QC",
              f"{packet!r} was answered with {reply!r}")
    equal(client.read(t["buffer"], 16), bytes(range(16)), "memory after nonsense")
    equal(client.all_registers(), before, "the registers after nonsense")


@scenario("look")
def packet_longer_than_the_bound(t):
    """A packet longer than PacketSize does not end the server; the next one is answered."""
    bound = int(t.client.features.get("PacketSize", "4000"), 16)
    if bound > 1 << 21:
        raise Skip("the bound is beyond what is worth sending")
    payload = b"q" + b"a" * (bound + 100)
    t.client.write(b"$" + payload + b"#%02x" % checksum(payload))
    t.client.send("?")
    while True:
        reply = t.client.receive("the reply to ?")
        if reply[:1] in b"TS" and reply:
            return
        check(reply == b"" or reply[:1] == b"E", f"the long packet was answered with {reply!r}")


def checksums_are_checked(t):
    """With acknowledgements on, a wrong checksum is answered with - and the packet is not carried out."""
    client = t.connect(no_ack=False)
    client.write(b"$?#00")
    equal(client.wait_ack(), b"-", "the acknowledgement of a packet with a wrong checksum")
    check(client.request("?")[:1] in b"TS", "the packet sent again was not answered")


checksums_are_checked.connects_itself = True
scenario("look")(checksums_are_checked)


def no_ack_mode(t):
    """QStartNoAckMode is acknowledged once more, and then nothing is."""
    client = t.connect(no_ack=False)
    client.order("QStartNoAckMode")
    client.ack_mode = False
    client.ask("?")
    check(not client.acks, "an acknowledgement came in no-ack mode")


no_ack_mode.connects_itself = True
scenario("look")(no_ack_mode)


def nak_is_answered_again(t):
    """With acknowledgements on, a - makes the server send its reply again."""
    client = t.connect(no_ack=False)
    first = client.request("qC")
    client.write(b"-")
    equal(client.receive("the reply again"), first, "the reply sent again")


nak_is_answered_again.connects_itself = True
scenario("look")(nak_is_answered_again)


@scenario("look")
def bytes_between_packets(t):
    """Stray bytes between packets are passed over."""
    t.client.write(b"+++\n\0garbage")
    check(t.client.request("?")[:1] in b"TS", "? was not answered")


@scenario("look")
def thread_list(t):
    """One thread at the start, or as many as the machine has: the same by qfThreadInfo, qC and T, and no other is alive."""
    threads = t.client.threads()
    equal(len(threads), t.driver.first_threads, "the number of threads")
    equal(t.client.ask("qC").decode(), "QC" + threads[0], "the current thread")
    t.client.order("T" + threads[0])
    try:
        t.client.order("T" + (threads[0].split(".")[0] + ".7ffffff0" if "." in threads[0] else "7ffffff0"))
    except Refused:
        return
    raise Failed("a thread that does not exist is said to be alive")


@scenario("look")
def threads_object(t):
    """qXfer:threads lists the same thread as qfThreadInfo."""
    import xml.etree.ElementTree as ElementTree
    t.need("qXfer:threads:read")
    root = ElementTree.fromstring(t.client.object("threads"))
    equal([element.attrib["id"] for element in root.findall("thread")], t.client.threads(), "the threads")


@scenario("look")
def features_are_announced(t):
    """qSupported gives a sane PacketSize and the same answer twice."""
    size = int(t.client.features["PacketSize"], 16)
    check(1000 <= size <= 1 << 24, f"PacketSize is {size}")
    equal(t.client.announce(), t.client.announce(), "qSupported")


@scenario("look")
def unknown_packets_get_the_empty_reply(t):
    """A packet that nobody knows is answered with nothing, as the manual demands."""
    for packet in ("vNonsense", "qNonsense:1", "QNonsense", "~", "qL1200000000000000000"):
        equal(t.client.request(packet), b"", f"the reply to {packet}")


@scenario("look")
def vMustReplyEmpty(t):
    """vMustReplyEmpty is answered with nothing."""
    equal(t.client.request("vMustReplyEmpty"), b"", "the reply")


@scenario("look")
def qAttached_tells(t):
    """qAttached says 0 or 1."""
    check(t.client.ask("qAttached") in (b"0", b"1"), "qAttached says something else")


@scenario("look")
def search_memory(t):
    """qSearch:memory finds a pattern, and says when there is none."""
    from client import escape
    reply = t.client.ask(f"qSearch:memory:{t['buffer']:x};100;".encode() + escape(bytes((40, 41, 42, 43))))
    equal(reply, f"1,{t['buffer'] + 40:x}".encode(), "what was found")
    equal(t.client.ask(f"qSearch:memory:{t['buffer']:x};100;".encode() + escape(b"\x05\x04\x03")), b"0",
          "what was found of what is not there")


@scenario("look")
def crc_of_memory(t):
    """qCRC gives the checksum that compare-sections expects."""
    value = 0xFFFFFFFF
    for byte in range(256):
        value ^= byte << 24
        for _ in range(8):
            value = (value << 1 ^ (0x04C11DB7 if value & 0x80000000 else 0)) & 0xFFFFFFFF
    equal(t.client.ask(f"qCRC:{t['buffer']:x},100"), f"C{value:x}".encode(), "the checksum")
    try:
        reply = t.client.ask("qCRC:0,100")
    except Refused:
        return
    except Unsupported:
        return
    raise Failed(f"qCRC of memory that is not there was answered with {reply!r}")
