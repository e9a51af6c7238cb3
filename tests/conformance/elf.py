"""Reads what the scenarios need of an ELF file: its symbols."""

import struct


def symbols(path):
    """The named symbols of a 64-bit little-endian ELF file, name -> address."""
    with open(path, "rb") as file:
        image = file.read()
    if image[:4] != b"\x7fELF" or image[4] != 2 or image[5] != 1:
        raise ValueError(f"{path}: not a 64-bit little-endian ELF file")
    section_offset, = struct.unpack_from("<Q", image, 0x28)
    entry_size, count = struct.unpack_from("<HH", image, 0x3A)
    sections = [struct.unpack_from("<IIQQQQIIQQ", image, section_offset + i * entry_size) for i in range(count)]
    found = {}
    for section in sections:
        if section[1] != 2:  # SHT_SYMTAB
            continue
        names = sections[section[6]][4]
        for at in range(section[4], section[4] + section[5], 24):
            name_offset, _, _, _, value, _ = struct.unpack_from("<IBBHQQ", image, at)
            name = image[names + name_offset:image.index(b"\0", names + name_offset)].decode()
            if name:
                found[name] = value
    return found
