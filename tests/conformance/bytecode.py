"""Agent expressions, put together by hand. GDB manual, appendix "The GDB Agent Expression Mechanism"."""

import struct

END = b"\x27"


def constant(value):
    return b"\x25" + struct.pack(">Q", value)


def register(number):
    """A register by gdb's number."""
    return b"\x26" + struct.pack(">H", number)


def word(address):
    """The 64-bit word at an address."""
    return constant(address) + b"\x1a"


def equal(a, b):
    return a + b + b"\x13"


def divide(a, b):
    return a + b + b"\x05"


def always(value):
    return b"\x22" + bytes((value,))


def jump_to_itself():
    return b"\x21\x00\x00"


def printf(text, *values):
    """GDB pushes the arguments from the last to the first, then a channel and a function, both 0."""
    data = text.encode() + b"\0"
    code = b"".join(reversed(values)) + always(0) + always(0)
    return code + b"\x34" + bytes((len(values),)) + struct.pack(">H", len(data)) + data
