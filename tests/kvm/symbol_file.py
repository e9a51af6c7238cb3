"""A kernel's table of symbols as an ELF file, which gdb's and our `symbol-file` read: Debian has the file with debug
information too, but it is larger than the machines that tests bring. The kernel around us is the guest's, and has the table."""

import bisect
import struct

LINKED = 0xffffffff81000000  # _text as the kernel's file has it
# What begins and ends the sections that names are put into.
BOUNDS = {'_text': None, '_etext': None, '_sinittext': None, '_einittext': None, '_end': None}
CODE, WRITABLE, ALLOCATED, WITHOUT_BYTES = 4, 1, 2, 8


def kernel_table():
    """[(name, address as linked, whether it is code)] of this machine's own kernel; empty when it does not show them."""
    table = []
    with open('/proc/kallsyms', encoding='ascii') as lines:
        for line in lines:
            address, kind, name = line.split(None, 3)[:3]
            if kind in 'TDBR' and '[' not in line:
                table.append((name, int(address, 16), kind == 'T'))
    text = next((address for name, address, _ in table if name == '_text'), 0)
    return [(name, address - text + LINKED, code) for name, address, code in table if text <= address] if text else []


def sections_of(table):
    """[(name, start, end, flags)] in their order."""
    at = {name: address for name, address, _ in table if name in BOUNDS}
    return [('.text', LINKED, at['_etext'], ALLOCATED | CODE), ('.data', at['_etext'], at['_sinittext'], ALLOCATED | WRITABLE),
            ('.init.text', at['_sinittext'], at['_einittext'], ALLOCATED | CODE),
            ('.bss', at['_einittext'], at['_end'], ALLOCATED | WRITABLE)]


def strings(names):
    """(bytes, offset of each)."""
    data, offsets = bytearray(b'\0'), []
    for name in names:
        offsets.append(len(data))
        data += name.encode() + b'\0'
    return bytes(data), offsets


def write(path, table):
    """The file; `table` as from kernel_table."""
    sections = sections_of(table)
    starts = [section[1] for section in sections]
    names, name_offsets = strings([name for name, _, _ in table])
    symbols = bytearray(24)
    for (_, address, code), offset in zip(table, name_offsets):
        section = min(max(bisect.bisect_right(starts, address), 1), len(sections))
        symbols += struct.pack('<IBBHQQ', offset, 0x10 | (2 if code else 1), 0, section, address, 0)
    titles, title_offsets = strings([section[0] for section in sections] + ['.symtab', '.strtab', '.shstrtab'])
    segments = b''.join(struct.pack('<IIQQQQQQ', 1, 5 if flags & CODE else 6, 0, start, start, 0, end - start, 4096)
                        for _, start, end, flags in sections)
    at = 64 + len(segments)
    headers = bytearray(64)
    for (_, start, end, flags), title in zip(sections, title_offsets):
        headers += struct.pack('<IIQQQQIIQQ', title, WITHOUT_BYTES, flags, start, at, end - start, 0, 0, 16, 0)
    for number, (kind, data, entry) in enumerate(((2, symbols, 24), (3, names, 0), (3, titles, 0))):
        link = len(sections) + 2 if kind == 2 else 0
        headers += struct.pack('<IIQQQQIIQQ', title_offsets[len(sections) + number], kind, 0, 0, at, len(data), link, 1 if kind == 2 else 0, 8,
                               entry)
        at += len(data)
    count = len(headers) // 64
    with open(path, 'wb') as file:
        file.write(struct.pack('<16sHHIQQQIHHHHHH', b'\x7fELF\x02\x01\x01', 2, 62, 1, LINKED, 64, at, 0, 64, 56, len(sections), 64, count,
                               count - 1))
        file.write(segments + bytes(symbols) + names + titles + bytes(headers))
