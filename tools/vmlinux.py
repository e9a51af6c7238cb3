#!/usr/bin/env python3
"""Symbols and unwind information of an x86-64 kernel, from the kernel itself: vmlinux.py VMLINUZ VMLINUX

Distributions keep vmlinux in a package of a gigabyte and more. What a kernel carries for its own use (kallsyms, and ORC tables
for its backtraces) is enough for a debugger to name functions and variables and to walk the stack: this writes an ELF file with a
symbol table and .debug_frame, without code. Types and lines are not in it. Linux 6.1 and its like, compressed with XZ.

Sources: Linux, scripts/kallsyms.c, arch/x86/include/asm/orc_types.h, arch/x86/kernel/unwind_orc.c; DWARF 5, section 6.4.
"""

import lzma
import pathlib
import re
import struct
import sys

XZ = b'\xfd7zXZ\0'
EXECUTABLE, ALLOCATED = 4, 2
NOBITS, PROGBITS, SYMBOLS, STRINGS = 8, 1, 2, 3


class Unreadable(Exception):
    """Not such a kernel."""


class Kernel:
    """The ELF file inside vmlinuz."""

    def __init__(self, packed):
        at = packed.find(XZ)
        if at < 0:
            raise Unreadable('no XZ stream in it')
        self.data = lzma.LZMADecompressor(lzma.FORMAT_XZ).decompress(packed[at:])
        if self.data[:4] != b'\x7fELF':
            raise Unreadable('no ELF file inside')
        offset, = struct.unpack_from('<Q', self.data, 40)
        count, names = struct.unpack_from('<HH', self.data, 60)
        rows = [struct.unpack_from('<IIQQQQ', self.data, offset + 64 * n) for n in range(count)]
        text = rows[names]
        self.sections = {}
        for name, kind, flags, address, place, size in rows:
            start = text[4] + name
            word = self.data[start:self.data.index(b'\0', start)].decode()
            self.sections[word] = (kind, flags, address, place, size)

    def contents(self, name):
        _, _, _, place, size = self.sections[name]
        return self.data[place:place + size]


def find_names(kernel, data):
    """Where the names begin, and how many there are: behind the address that the offsets count from. Where the 256th name
    stands is told again behind them."""
    base = struct.pack('<Q', kernel.sections['.text'][2])
    for match in re.finditer(re.escape(base), data):
        count, = struct.unpack_from('<Q', data, match.end())
        if match.start() % 8 or not 10000 < count < 1 << 24:
            continue
        start = place = match.end() + 8
        for n in range(count):
            if n == 256:
                second = place - start
            place += 1 + data[place]
        if struct.unpack_from('<II', data, (place + 7) & ~7) == (0, second):
            return match.start(), count
    raise Unreadable('no kallsyms in it as Linux 6.1 to 6.3 lay them out')


def find_pieces(data, start):
    """The 256 pieces that names are made of: the digits stand for themselves, and an index stands behind them."""
    for match in re.finditer(rb'(?<=\0)0\x001\x002\x003\x004\x005\x006\x007\x008\x009\0', data[start:]):
        place = start + match.start()
        for _ in range(ord('0')):
            place = data.rindex(b'\0', 0, place - 1) + 1
        pieces = data[place:place + 8192].split(b'\0')[:256]
        index = (place + sum(len(piece) + 1 for piece in pieces) + 7) & ~7
        if struct.unpack_from('<HH', data, index) == (0, len(pieces[0]) + 1):
            return pieces
    raise Unreadable('the pieces of names are not behind the names')


def symbols(kernel):
    """(address, kind, name) of all, sorted."""
    data = kernel.contents('.rodata')
    at, count = find_names(kernel, data)
    pieces = find_pieces(data, at)
    base, = struct.unpack_from('<Q', data, at)
    offsets = struct.unpack_from(f'<{count}i', data, (at - 4 * count) & ~7)
    place, found = at + 16, []
    for n in range(count):
        length = data[place]
        word = b''.join(pieces[token] for token in data[place + 1:place + 1 + length]).decode()
        place += 1 + length
        if offsets[n] < 0:  # the others are offsets of per-CPU variables
            found.append((base - 1 - offsets[n], word[0], word[1:]))
    return sorted(found)


def leb(value):
    """DWARF's signed numbers of variable length."""
    out = bytearray()
    while True:
        byte, value = value & 0x7f, value >> 7
        if (value == 0 and not byte & 0x40) or (value == -1 and byte & 0x40):
            return bytes(out + bytes([byte]))
        out.append(byte | 0x80)


RBP, RSP, RIP = 6, 7, 16
REGS, PARTIAL = 1, 2
REGS_SIZE, IRET_SIZE = 168, 40  # struct pt_regs; of which a processor saves the end by itself
BASES = {4: RBP, 5: RSP, 2: 1, 3: 5, 6: 10, 7: 13}  # ORC's registers in DWARF's numbers, of those that are plain
# Where the word lies that the frame's address is found by: at an offset from RBP, or at RSP, the offset being added to the word.
# DW_OP_breg6 and _breg7, _deref, _consts, _plus.
INDIRECT = {8: lambda offset: b'\x76' + leb(offset) + b'\x06', 9: lambda offset: b'\x77\0\x06\x11' + leb(offset) + b'\x22'}
OFFSET, UNDEFINED, SAME = 0x11, 0x07, 0x08


def at_offset(register, offset):
    """DW_CFA_offset_extended_sf; the factor is -8."""
    return bytes([OFFSET, register]) + leb(offset // -8)


def rules(row):
    """What one ORC entry says, as DWARF's instructions; all registers' rules are said anew."""
    cfa_offset, frame_offset, registers, flags = row
    base, frame, kind = BASES.get(registers & 15), registers >> 4, flags & 3
    indirect = INDIRECT.get(registers & 15)
    if base is None and indirect is None:
        return bytes([UNDEFINED, RIP])
    if kind in (REGS, PARTIAL):
        # What is saved at the address that the entry leads to ends there: so each frame lies outside of the one that it called.
        size = REGS_SIZE if kind == REGS else IRET_SIZE
        code = bytes([0x12, base]) + leb((cfa_offset + size) // -8)  # DW_CFA_def_cfa_sf
        saved = at_offset(RBP, 32 - size) if kind == REGS else bytes([SAME, RBP])
        return code + at_offset(RIP, -IRET_SIZE) + at_offset(RSP, 24 - IRET_SIZE) + saved
    if indirect is not None:  # the stack was changed, and where it was lies on the new one
        expression = bytes(indirect(cfa_offset))
        code = bytes([0x0f, len(expression)]) + expression  # DW_CFA_def_cfa_expression
    else:
        code = bytes([0x12, base]) + leb(cfa_offset // -8)
    saved = at_offset(RBP, frame_offset) if frame == 1 else bytes([SAME, RBP])
    return code + at_offset(RIP, -8) + bytes([0x14, RSP]) + b'\0' + saved  # DW_CFA_val_offset: the CFA


def rows_of(kernel):
    """(address, entry) of the ORC tables."""
    places, entries = kernel.contents('.orc_unwind_ip'), kernel.contents('.orc_unwind')
    start = kernel.sections['.orc_unwind_ip'][2]
    relative = struct.unpack(f'<{len(places) // 4}i', places)
    unpacked = struct.iter_unpack('<hhBB', entries)
    return [(start + 4 * n + relative[n], row) for n, row in enumerate(unpacked)]


def frames(kernel, functions):
    """.debug_frame: one entry for each function."""
    cie = struct.pack('<IB', 0xffffffff, 4) + b'\0' + bytes([8, 0, 1, 0x78, RIP]) + bytes([0x12, RSP]) + leb(-1) + at_offset(RIP, -8)
    cie += bytes(-(len(cie) + 4) % 8)
    out, known = [struct.pack('<I', len(cie)) + cie], {}
    rows, at = rows_of(kernel), 0
    for start, end in functions:
        while at + 1 < len(rows) and rows[at + 1][0] <= start:
            at += 1
        code, place, n = b'', start, at
        while n < len(rows) and rows[n][0] < end:
            address, row = rows[n]
            n += 1
            if row not in known:
                known[row] = rules(row)
            if address > place:
                code += b'\x04' + struct.pack('<I', address - place)  # DW_CFA_advance_loc4
                place = address
            code += known[row]
        body = struct.pack('<IQQ', 0, start, end - start) + code
        body += bytes(-(len(body) + 4) % 8)
        out.append(struct.pack('<I', len(body)) + body)
    return b''.join(out)


def table(kernel, found):
    """The symbol table, its strings, and [start, end) of the functions. Sections keep the numbers they have in `kept`."""
    kept = [(name, *row) for name, row in kernel.sections.items() if row[1] & ALLOCATED and row[2] >= 1 << 63]
    strings, entries, functions = bytearray(b'\0'), [bytes(24)], []
    for n, (address, kind, name) in enumerate(found):
        section = next((i for i, row in enumerate(kept, 1) if row[3] <= address < row[3] + row[5]), None)
        if section is None:
            continue
        row = kept[section - 1]
        following = next((found[i][0] for i in range(n + 1, len(found)) if found[i][0] != address), address)
        size = min(following, row[3] + row[5]) - address
        code = bool(row[2] & EXECUTABLE)
        info = (0 if kind.islower() else 1) << 4 | (2 if code else 1)
        entries.append(struct.pack('<IBBHQQ', len(strings), info, 0, section, address, size))
        strings += name.encode() + b'\0'
        if code and size and (not functions or functions[-1][0] != address):
            functions.append((address, address + size))
    return kept, entries, bytes(strings), functions


def segments(kept):
    """Program headers: a segment for each run of sections with code, or without. A debugger finds by them what belongs to the
    kernel, and moves it as one."""
    runs = []
    for _, _, flags, address, _, size in kept:
        code = bool(flags & EXECUTABLE)
        if not runs or runs[-1][0] != code:
            runs.append([code, address, address])
        runs[-1][2] = max(runs[-1][2], address + size)
    return [struct.pack('<IIQQQQQQ', 1, 5 if code else 6, 0, start, start, 0, end - start, 4096) for code, start, end in runs]


def write(kernel, target):
    kept, entries, strings, functions = table(kernel, symbols(kernel))
    entries[1:] = sorted(entries[1:], key=lambda entry: entry[4] >> 4)  # local ones come first
    local = 1 + sum(entry[4] >> 4 == 0 for entry in entries[1:])
    sections = [(name, NOBITS, row[1], row[2], b'', row[4], 0, 0, 0) for name, *row in kept]
    linked = len(kept) + 2
    sections += [('.symtab', SYMBOLS, 0, 0, b''.join(entries), None, linked, local, 24), ('.strtab', STRINGS, 0, 0, strings, None, 0, 0, 0),
                 ('.debug_frame', PROGBITS, 0, 0, frames(kernel, functions), None, 0, 0, 0)]
    names = bytearray(b'\0')
    headers = segments(kept)
    rows, body, at = [bytes(64)], [], 64 + sum(len(header) for header in headers)
    sections.append(('.shstrtab', STRINGS, 0, 0, None, None, 0, 0, 0))
    places = []
    for section in sections:
        places.append(len(names))
        names += section[0].encode() + b'\0'
    for place, (_, kind, flags, address, data, size, link, info, each) in zip(places, sections):
        data = bytes(names) if data is None else data
        rows.append(struct.pack('<IIQQQQIIQQ', place, kind, flags, address, at, len(data) if size is None else size, link, info, 8, each))
        data += bytes(-len(data) % 8)
        body.append(data)
        at += len(data)
    head = b'\x7fELF\2\1\1' + bytes(9) + struct.pack('<HHIQQQIHHHHHH', 2, 62, 1, 0, 64, at, 0, 64, 56, len(headers), 64, len(rows), len(rows) - 1)
    pathlib.Path(target).write_bytes(head + b''.join(headers) + b''.join(body) + b''.join(rows))


def make(source, target):
    """The file of a kernel's symbols; written when it is not there yet or older than the kernel or this program."""
    source, target = pathlib.Path(source), pathlib.Path(target)
    newest = max(source.stat().st_mtime, pathlib.Path(__file__).stat().st_mtime)
    if not target.exists() or target.stat().st_mtime < newest:
        part = target.with_suffix('.part')
        write(Kernel(source.read_bytes()), part)
        part.rename(target)
    return target


def main():
    if len(sys.argv) != 3:
        print(__doc__)
        return 2
    try:
        make(sys.argv[1], sys.argv[2])
    except Unreadable as error:
        print(f'{sys.argv[1]}: {error}')
        return 1
    return 0


if __name__ == '__main__':
    sys.exit(main())
