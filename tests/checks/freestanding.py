#!/usr/bin/env python3
"""core/ as compiled: it needs nothing from outside but four memory functions, and holds no state.

freestanding.py ARCHIVE: every undefined symbol is defined in core/ or is one of memcpy memmove memset memcmp (a
freestanding compiler may emit calls to them); every external symbol begins with tl_; no section can be written to.
"""

import re
import subprocess
import sys

OUTSIDE = {'memcpy', 'memmove', 'memset', 'memcmp', '_GLOBAL_OFFSET_TABLE_'}
# Constant tables that hold addresses are written once, by the loader.
RELOCATED = re.compile(r'^\.data\.rel\.ro')


def complaints(symbols, sections):
    """symbols: (object, type, name) as nm -A prints them; sections: (object, name, size, flags) as objdump -h does."""
    found = []
    defined = {name for _, kind, name in symbols if kind not in 'Uw'}
    for where, kind, name in symbols:
        if kind in 'Uw' and name not in defined | OUTSIDE:
            found.append(f'{where}: needs {name} from outside')
        if kind.isupper() and kind != 'U' and not name.startswith('tl_'):
            found.append(f'{where}: {name} is visible from outside, and does not begin with tl_: make it static')
    for where, name, size, flags in sections:
        if size and 'ALLOC' in flags and 'READONLY' not in flags and not RELOCATED.match(name):
            found.append(f'{where}: section {name} of {size} bytes can be written: core/ has no globals that change')
    return found


def read_symbols(archive):
    listing = subprocess.run(['nm', '-A', archive], check=True, capture_output=True, text=True).stdout
    for line in listing.splitlines():
        match = re.match(r'(.*?):\s*(?:[0-9a-f]{8,16})?\s+([A-Za-z?]) (\S+)$', line)
        if match:
            yield match[1].rpartition(':')[2], match[2], match[3]


def read_sections(archive):
    listing = subprocess.run(['objdump', '-h', archive], check=True, capture_output=True, text=True).stdout
    where = ''
    lines = listing.splitlines()
    for line, flags in zip(lines, lines[1:] + ['']):
        if 'file format' in line:
            where = line.split(':')[0]
        match = re.match(r'\s*\d+ (\S+)\s+([0-9a-f]+) ', line)
        if match:
            yield where, match[1], int(match[2], 16), flags


def main():
    symbols, sections = list(read_symbols(sys.argv[1])), list(read_sections(sys.argv[1]))
    found = complaints(symbols, sections)
    print('\n'.join(found))
    print(f'{len({where for where, _, _ in symbols})} objects, {len(symbols)} symbols: {len(found)} complaints')
    return bool(found) or not symbols or not sections


if __name__ == '__main__':
    sys.exit(main())
