"""For scripts that run inside gdb: the code that a program's debug information knows."""

import re

import gdb


def code_of(program):
    """The ranges of the functions with debug information in the program."""
    found, ours = set(), False
    for line in gdb.execute('maint info line-table', to_string=True).splitlines():
        if line.startswith('objfile: '):
            ours = line.split(' ')[1] == program
        match = re.match(r'\d+\s+(\d+|END)\s+(0x[0-9a-f]+)', line)
        if match and ours:
            block = gdb.block_for_pc(int(match[2], 16))
            while block is not None and block.function is None:
                block = block.superblock
            if block is not None and not block.is_static and not block.is_global:
                found.add((block.start, block.end))
    return found
