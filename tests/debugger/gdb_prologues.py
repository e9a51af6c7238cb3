#!/usr/bin/env python3
"""Where breakpoints at functions belong, with gdb as the referee: gdb_prologues.py PROLOGUES SOURCE PROGRAM…

Each function of the programs whose name is the only one of its kind: gdb is told to break there, and says an address.
Functions of which gdb makes several places (inlined copies) are left out. If clang is there, SOURCE is made a program
whose lines gdb believes without marks: by clang as its makers call it, not a distribution.
"""

import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

MOST = 2500  # functions of a program that are asked for
AT = re.compile(r'^Breakpoint \d+ at (0x[0-9a-f]+)')


def gdb_says(program, names):
    """name → address, of those that have one."""
    with tempfile.NamedTemporaryFile('w', suffix='.gdb') as script:
        script.write('set breakpoint pending off\nset confirm off\n')
        for number, name in enumerate(names):
            script.write(f'echo @{name}\\n\nbreak -qualified {name}\n')
            if number % 100 == 99:
                script.write('delete\n')  # each new one takes gdb longer, the more there are
        script.flush()
        # A command that fails ends a script: each is read as if it were typed.
        with open(script.name, encoding='utf-8') as lines:
            done = subprocess.run(['gdb', '-q', '-nx', program], stdin=lines, capture_output=True, text=True,
                                  timeout=300, check=False)
    said, name = {}, None
    for line in done.stdout.replace('(gdb) ', '').splitlines():
        if line.startswith('@'):
            name = line[1:]
        found = AT.match(line)
        if found and 'locations' not in line:
            said[name] = int(found[1], 16)
    return said


def compare(prologues, program):
    """How many were compared, and what differs."""
    ours = {}
    for line in subprocess.run([prologues, program], capture_output=True, text=True, timeout=100,
                               check=True).stdout.splitlines():
        name, start, behind = line.split()
        ours[name] = (int(start, 16), int(behind, 16))
    # gdb looks for each of these names in every unit: of a large program some have to do.
    said = gdb_says(program, list(ours)[::len(ours) // MOST + 1])
    return len(said), [f'{name} begins at {ours[name][0]:#x}: gdb says {address:#x}, we say {ours[name][1]:#x}'
                       for name, address in said.items() if address != ours[name][1]]


def make_unmarked(source, folder):
    """The program, with nothing in its line table that says where prologues end."""
    programs = []
    for level in ['-O0', '-O1', '-O2'] if shutil.which('clang') else []:
        assembly, program = pathlib.Path(folder, f'{level}.s'), pathlib.Path(folder, f'unmarked{level}')
        subprocess.run(['clang', '-w', '-S', '-gdwarf-4', level, '-o', assembly, source], timeout=100, check=True)
        text = assembly.read_text().replace('prologue_end', '')
        assembly.write_text(re.sub(r'"[A-Za-z ]*clang version', '"clang version', text))
        subprocess.run(['clang', '-o', program, assembly], timeout=100, check=True)
        programs.append(str(program))
    return programs


def main():
    with tempfile.TemporaryDirectory() as folder:
        return compare_all(sys.argv[1], sys.argv[3:] + make_unmarked(sys.argv[2], folder))


def compare_all(prologues, programs):
    total, failures = 0, 0
    for program in programs:
        count, differing = compare(prologues, program)
        total += count
        failures += len(differing)
        for line in differing:
            print(f'{program}: {line}')
        if count == 0:
            print(f'{program}: gdb knows no function')
            failures += 1
    print(f'{total} functions, {failures} differ')
    return failures != 0


if __name__ == '__main__':
    sys.exit(main())
