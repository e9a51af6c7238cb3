"""Reads what the scenarios need of an ELF file: its symbols."""

import struct


def symbols(path, places=None):
    """The named symbols of a 64-bit little-endian ELF file, name -> address. `places` has where each section of an object is, by name;
    symbols of others are left out then."""
    with open(path, "rb") as file:
        image = file.read()
    if image[:4] != b"\x7fELF" or image[4] != 2 or image[5] != 1:
        raise ValueError(f"{path}: not a 64-bit little-endian ELF file")
    section_offset, = struct.unpack_from("<Q", image, 0x28)
    entry_size, count = struct.unpack_from("<HH", image, 0x3A)
    sections = [struct.unpack_from("<IIQQQQIIQQ", image, section_offset + i * entry_size) for i in range(count)]
    named = names_of(image, sections) if places is not None else []
    found = {}
    for section in sections:
        if section[1] != 2:  # SHT_SYMTAB
            continue
        names = sections[section[6]][4]
        for at in range(section[4], section[4] + section[5], 24):
            name_offset, _, _, index, value, _ = struct.unpack_from("<IBBHQQ", image, at)
            name = image[names + name_offset:image.index(b"\0", names + name_offset)].decode()
            if places is not None:
                place = places.get(named[index]) if index < len(named) else None
                name, value = (name, place + value) if place is not None else ("", 0)
            if name:
                found[name] = value
    return found


def names_of(image, sections):
    """The sections' names, in order."""
    last, = struct.unpack_from("<H", image, 0x3E)
    starts = [sections[last][4] + section[0] for section in sections]
    return [image[start:image.index(b"\0", start)].decode() for start in starts]
