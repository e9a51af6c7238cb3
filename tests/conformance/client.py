"""A client of the GDB remote serial protocol, for tests.

It speaks over any pair of byte streams, keeps the last packets, and never waits without a deadline: when one passes it
raises Hang, whose text says what was waited for and shows those packets.

The protocol: GDB manual, appendix "GDB Remote Serial Protocol".
"""

import collections
import os
import select
import struct
import time
import xml.etree.ElementTree as ElementTree

LOG_LENGTH = 40
DEADLINE = float(os.environ.get("CONFORMANCE_DEADLINE", "10"))

FEATURES = ("multiprocess+;swbreak+;hwbreak+;qRelocInsn+;fork-events+;vfork-events+;exec-events+;vContSupported+;"
            "QThreadEvents+;QThreadOptions+;no-resumed+;xmlRegisters=i386;error-message+;binary-upload+")


class Hang(Exception):
    """Something that was waited for did not come in time."""


class ProtocolError(Exception):
    """The server sent what it must not send."""


class Refused(Exception):
    """The server answered with an error."""


class Unsupported(Exception):
    """The server answered with the empty packet: it does not know the request."""


class Ended(Exception):
    """The connection was closed by the server."""


def checksum(payload):
    return sum(payload) & 0xFF


def escape(data):
    """Binary data as it stands in a packet."""
    out = bytearray()
    for byte in data:
        if byte in b"}$#*":
            out += bytes((0x7D, byte ^ 0x20))
        else:
            out.append(byte)
    return bytes(out)


def unescape(data):
    out = bytearray()
    at = 0
    while at < len(data):
        if data[at] == 0x7D:
            if at + 1 == len(data):
                raise ProtocolError("an escape at the end of a packet")
            at += 1
            out.append(data[at] ^ 0x20)
        else:
            out.append(data[at])
        at += 1
    return bytes(out)


def expand(data):
    """Undoes run-length encoding. An escaped * never follows itself, so this goes before unescaping."""
    out = bytearray()
    at = 0
    while at < len(data):
        if data[at] == 0x7D and at + 1 < len(data):
            out += data[at:at + 2]
            at += 2
        elif data[at] == 0x2A:
            if not out or at + 1 == len(data) or data[at + 1] < 32:
                raise ProtocolError("a run length without a byte before or a count behind it")
            out += out[-1:] * (data[at + 1] - 29)
            at += 2
        else:
            out.append(data[at])
            at += 1
    return bytes(out)


def hex_text(text):
    return text.encode().hex()


class Register:
    def __init__(self, name, number, bits, kind, group):
        self.name, self.number, self.bits, self.kind, self.group = name, number, bits, kind, group
        self.offset = None  # in the g packet, bytes

    @property
    def size(self):
        return (self.bits + 7) // 8


class Stop:
    """A stop reply, taken apart."""

    def __init__(self, payload):
        self.payload = payload
        text = payload.decode("latin-1")
        self.kind = text[:1]
        self.signal = None
        self.code = None
        self.process = None
        self.thread = None
        self.fields = []
        self.registers = {}
        if self.kind in "TS":
            self.signal = int(text[1:3], 16)
            self._read_fields(text[3:])
        elif self.kind in "WX":
            parts = text[1:].split(";")
            self.code = int(parts[0], 16)
            for part in parts[1:]:
                if part.startswith("process:"):
                    self.process = part[8:]
        elif self.kind == "w":
            parts = text[1:].split(";")
            self.code = int(parts[0], 16)
            self.thread = parts[1] if len(parts) > 1 else None
        elif self.kind != "N":
            raise ProtocolError(f"not a stop reply: {text!r}")

    def _read_fields(self, text):
        for part in text.split(";"):
            if not part:
                continue
            if ":" not in part:
                raise ProtocolError(f"a part of a stop reply without a colon: {part!r} in {self.payload!r}")
            key, value = part.split(":", 1)
            if key == "thread":
                self.thread = value
            elif all(c in "0123456789abcdefABCDEF" for c in key):
                self.registers[int(key, 16)] = bytes.fromhex(value)
            else:
                self.fields.append((key, value))

    def has(self, key):
        return any(name == key for name, _ in self.fields)

    def value(self, key):
        for name, value in self.fields:
            if name == key:
                return value
        return None

    def __repr__(self):
        return f"Stop({self.payload.decode('latin-1')!r})"


class Client:
    """One connection. `stream_in` and `stream_out` are descriptors; both belong to the client from now on."""

    def __init__(self, stream_in, stream_out, name="server"):
        self.stream_in, self.stream_out, self.name = stream_in, stream_out, name
        os.set_blocking(stream_in, False)
        self.received = bytearray()
        self.packets = collections.deque()
        self.notifications = collections.deque()
        self.acks = collections.deque()
        self.log = collections.deque(maxlen=LOG_LENGTH)
        self.ack_mode = True
        self.closed = False
        self.output = bytearray()
        self.features = {}
        self.registers = []
        self.by_name = {}
        self.non_stop = False
        self.packet_count = 0
        self.line_bytes = 0  # as they stood on the line, both ways
        self.trap_size = 1  # what Z0 and Z1 say: of the machine's trap instruction, in bytes

    # ---- bytes ----

    def close(self):
        for descriptor in {self.stream_in, self.stream_out}:
            try:
                os.close(descriptor)
            except OSError:
                pass
        self.closed = True

    def _note(self, direction, data):
        text = data.decode("latin-1")
        if len(text) > 200:
            text = f"{text[:200]}… ({len(text)} characters)"
        self.log.append(f"  {direction} {text!r}")

    def transcript(self):
        return "\n".join(self.log)

    def hang(self, what):
        return Hang(f"{self.name}: waited in vain for {what}\nthe last packets:\n{self.transcript()}")

    def write(self, data):
        """Raw bytes, for what is not a packet."""
        deadline = time.monotonic() + DEADLINE
        view = memoryview(data)
        while view:
            _, ready, _ = select.select([], [self.stream_out], [], max(0, deadline - time.monotonic()))
            if not ready:
                raise self.hang("room to write")
            try:
                written = os.write(self.stream_out, view[:4096])
            except BrokenPipeError:
                raise Ended(f"{self.name}: closed the connection\n{self.transcript()}") from None
            self.line_bytes += written
            view = view[written:]
            self._take_bytes(0)

    def _take_bytes(self, timeout):
        """Reads what there is, waiting at most `timeout` seconds for the first byte; False when nothing came."""
        ready, _, _ = select.select([self.stream_in], [], [], max(0, timeout))
        if not ready:
            return False
        try:
            data = os.read(self.stream_in, 1 << 16)
        except BlockingIOError:
            return False
        except OSError:
            data = b""
        if not data:
            self.closed = True
            return True
        self.received += data
        self.line_bytes += len(data)
        self._parse()
        return True

    def _parse(self):
        while self.received:
            first = self.received[:1]
            if first in (b"+", b"-"):
                self.acks.append(first)
                del self.received[:1]
                continue
            if first not in (b"$", b"%"):
                raise ProtocolError(f"{self.name}: a byte between packets: {bytes(self.received[:60])!r}\n"
                                    f"{self.transcript()}")
            end = self.received.find(b"#")
            if end < 0 or len(self.received) < end + 3:
                return
            raw = bytes(self.received[1:end])
            given = int(bytes(self.received[end + 1:end + 3]), 16)
            del self.received[:end + 3]
            if checksum(raw) != given:
                raise ProtocolError(f"{self.name}: a wrong checksum on {raw!r}")
            payload = expand(raw)
            if first == b"%":
                self._note("<- %", payload)
                self.notifications.append(payload)
                continue
            self._note("<-", payload)
            if self.ack_mode:
                self.line_bytes += os.write(self.stream_out, b"+")
            if payload[:1] == b"O" and payload != b"OK" and self.expecting_stop:
                self.output += bytes.fromhex(payload[1:].decode())
            else:
                self.packets.append(payload)

    expecting_stop = False

    # ---- packets ----

    def send(self, payload):
        """Sends a packet and, in ack mode, waits for its acknowledgement."""
        if isinstance(payload, str):
            payload = payload.encode("latin-1")
        self._note("->", payload)
        self.packet_count += 1
        self.write(b"$" + payload + b"#%02x" % checksum(payload))
        if self.ack_mode:
            if self.wait_ack() != b"+":
                raise ProtocolError(f"{self.name}: did not take {payload!r}\n{self.transcript()}")

    def wait_ack(self, timeout=None):
        deadline = time.monotonic() + (DEADLINE if timeout is None else timeout)
        while not self.acks:
            if self.closed:
                raise Ended(f"{self.name}: closed the connection\n{self.transcript()}")
            if not self._take_bytes(deadline - time.monotonic()) and time.monotonic() >= deadline:
                raise self.hang("an acknowledgement")
        return self.acks.popleft()

    def receive(self, what, timeout=None):
        deadline = time.monotonic() + (DEADLINE if timeout is None else timeout)
        while not self.packets:
            if self.closed:
                raise Ended(f"{self.name}: closed the connection while {what} was due\n{self.transcript()}")
            if not self._take_bytes(deadline - time.monotonic()) and time.monotonic() >= deadline:
                raise self.hang(what)
        return self.packets.popleft()

    def nothing_comes(self, seconds):
        """True when no packet and no notification arrives for that long. The one wait whose deadline is its point."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if self.packets or self.notifications:
                return False
            self._take_bytes(deadline - time.monotonic())
            if self.closed:
                return False
        return not self.packets and not self.notifications

    def wait_closed(self, timeout=None):
        deadline = time.monotonic() + (DEADLINE if timeout is None else timeout)
        while not self.closed:
            if not self._take_bytes(deadline - time.monotonic()) and time.monotonic() >= deadline:
                raise self.hang("the end of the connection")

    def request(self, payload, timeout=None):
        """Sends a packet and returns the reply, whatever it says."""
        self.send(payload)
        return self.receive(f"the reply to {payload[:80]!r}", timeout)

    def ask(self, payload, timeout=None):
        """The same, with errors raised."""
        reply = self.request(payload, timeout)
        shown = payload[:60]
        if reply == b"":
            raise Unsupported(f"{shown!r} is not supported")
        if reply[:1] == b"E" and (reply[1:2] == b"." or len(reply) == 3):
            raise Refused(f"{shown!r} was answered with {reply.decode('latin-1')!r}")
        return reply

    def order(self, payload, timeout=None):
        """A request whose one good answer is OK."""
        reply = self.ask(payload, timeout)
        if reply != b"OK":
            raise ProtocolError(f"{payload[:60]!r} was answered with {reply!r}")

    # ---- the beginning ----

    def start(self, no_ack=True, features=FEATURES):
        self.announce(features)
        if no_ack and self.features.get("QStartNoAckMode") == "+":
            self.order("QStartNoAckMode")
            self.ack_mode = False

    def announce(self, features=FEATURES):
        reply = self.ask("qSupported:" + features).decode("latin-1")
        self.features = {}
        for part in reply.split(";"):
            if part[-1:] in "+-?" and "=" not in part:
                self.features[part[:-1]] = part[-1]
            elif "=" in part:
                key, value = part.split("=", 1)
                self.features[key] = value
        return reply

    def object(self, name, annex="", part=0xF00):
        """A whole qXfer object."""
        data = bytearray()
        while True:
            reply = self.ask(f"qXfer:{name}:read:{annex}:{len(data):x},{part:x}")
            data += unescape(reply[1:])
            if reply[:1] == b"l":
                return bytes(data)
            if reply[:1] != b"m" or len(reply) == 1:
                raise ProtocolError(f"a part of {name} without progress: {reply!r}")

    def describe(self):
        """Reads the target description: self.registers in the order of their numbers."""
        number = 0
        self.registers = []

        def walk(annex):
            nonlocal number
            root = ElementTree.fromstring(self.object("features", annex))
            for element in root.iter():
                tag = element.tag.split("}")[-1]
                if tag == "include":
                    walk(element.attrib["href"])
                elif tag == "reg":
                    number = int(element.attrib.get("regnum", str(number)), 0)
                    self.registers.append(Register(element.attrib["name"], number, int(element.attrib["bitsize"]),
                                                   element.attrib.get("type", "int"), element.attrib.get("group")))
                    number += 1
            return root

        root = walk("target.xml")
        offset = 0
        for register in sorted(self.registers, key=lambda r: r.number):
            register.offset = offset
            offset += register.size
        self.by_name = {register.name: register for register in self.registers}
        return root

    # ---- registers and memory ----

    def select(self, thread, kind="g"):
        self.order(f"H{kind}{thread}")

    def all_registers(self):
        return self.ask("g")

    def register_bytes(self, name, thread=None):
        if not self.by_name:
            self.describe()
        if thread is not None:
            self.select(thread)
        register = self.by_name[name]
        whole = self.all_registers().decode()
        text = whole[2 * register.offset:2 * (register.offset + register.size)]
        if len(text) != 2 * register.size:
            raise ProtocolError(f"the g packet ends before {name}")
        return text if "x" in text else bytes.fromhex(text)

    def register(self, name, thread=None):
        value = self.register_bytes(name, thread)
        if isinstance(value, str):
            raise ProtocolError(f"{name} is not available")
        return int.from_bytes(value, "little")

    def set_register(self, name, value, thread=None):
        """Through G, which every server must have."""
        if not self.by_name:
            self.describe()
        if thread is not None:
            self.select(thread)
        register = self.by_name[name]
        whole = self.all_registers().decode().replace("x", "0")
        data = value.to_bytes(register.size, "little").hex()
        at = 2 * register.offset
        self.order("G" + whole[:at] + data + whole[at + len(data):])

    @property
    def pc_name(self):
        if not self.by_name:
            self.describe()
        return "rip" if "rip" in self.by_name else "eip" if "eip" in self.by_name else "pc"

    def pc(self, thread=None):
        return self.register(self.pc_name, thread)

    def read(self, address, size):
        data = bytearray()
        while len(data) < size:
            part = min(size - len(data), 0x700)
            reply = bytes.fromhex(self.ask(f"m{address + len(data):x},{part:x}").decode())
            if not reply:
                raise Refused(f"m at {address + len(data):#x} gave nothing")
            data += reply
        return bytes(data[:size])

    def write_memory(self, address, data):
        self.order(f"M{address:x},{len(data):x}:{data.hex()}")

    def word(self, address):
        return struct.unpack("<Q", self.read(address, 8))[0]

    def set_word(self, address, value):
        self.write_memory(address, struct.pack("<Q", value))

    # ---- points ----

    def insert(self, kind, address, size=None, conditions=(), commands=(), persist=False):
        text = f"Z{kind},{address:x},{size if size is not None else self.trap_size:x}"
        if conditions:
            text += ";" + "".join(f"X{len(code):x},{code.hex()}" for code in conditions)
        if commands:
            text += f";cmds:{persist:d}," + "".join(f"X{len(code):x},{code.hex()}" for code in commands)
        self.order(text)

    def remove(self, kind, address, size=None):
        self.order(f"z{kind},{address:x},{size if size is not None else self.trap_size:x}")

    # ---- running ----

    def resume(self, actions="c"):
        """Sets the program going; the stop reply is to be waited for (all-stop)."""
        self.expecting_stop = True
        self.send("vCont;" + actions)

    def wait_stop(self, what="a stop reply", timeout=None):
        stop = Stop(self.receive(what, timeout))
        self.expecting_stop = False
        return stop

    def run(self, actions="c", timeout=None):
        self.resume(actions)
        return self.wait_stop(f"the stop after vCont;{actions}", timeout)

    def step(self, thread=None, others=""):
        return self.run(f"s{':' + thread if thread else ''}{others}")

    def interrupt(self):
        self._note("->", b"\x03")
        self.write(b"\x03")

    def threads(self):
        names = []
        reply = self.ask("qfThreadInfo")
        while reply[:1] == b"m":
            names += reply[1:].decode().split(",")
            reply = self.ask("qsThreadInfo")
        if reply != b"l":
            raise ProtocolError(f"a thread list that ends with {reply!r}")
        return names

    # ---- non-stop ----

    def set_non_stop(self, on=True):
        self.order(f"QNonStop:{int(on)}")
        self.non_stop = on

    def wait_notification(self, what="a %Stop notification", timeout=None):
        deadline = time.monotonic() + (DEADLINE if timeout is None else timeout)
        while not self.notifications:
            if self.closed:
                raise Ended(f"{self.name}: closed the connection while {what} was due\n{self.transcript()}")
            if not self._take_bytes(deadline - time.monotonic()) and time.monotonic() >= deadline:
                raise self.hang(what)
        return self.notifications.popleft()

    def stops(self, timeout=None):
        """Waits for %Stop and takes every stop that goes with it (vStopped … OK)."""
        notification = self.wait_notification(timeout=timeout)
        if not notification.startswith(b"Stop:"):
            raise ProtocolError(f"an unknown notification: {notification!r}")
        found = [Stop(notification[5:])]
        while True:
            reply = self.request("vStopped")
            if reply == b"OK":
                return found
            found.append(Stop(reply))
