#!/usr/bin/env python3
"""lldb 19 beside the lldb 14 of Debian 12: newer_lldb.py [FOLDER]

Their packages cannot both be installed, as their Python modules are in each other's way. So what this machine lacks of lldb 19
is fetched with apt, and unpacked into FOLDER/root; FOLDER/lldb-19 and FOLDER/lldb-server-19 start it from there. What is there
already is taken. Without FOLDER it is the one that all builds of this tree share."""

import pathlib
import shutil
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import archive  # noqa: E402 pylint: disable=wrong-import-position
from archive import Missing  # noqa: E402 pylint: disable=wrong-import-position

VERSION, SUITE = '19', 'bookworm'
NAME = 'lldb-19'  # of the package, and of the folder
PROGRAMS = ('lldb', 'lldb-server')
START = '''#!/bin/sh
LD_LIBRARY_PATH="{libraries}${{LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}}" PYTHONPATH="{modules}" exec "{program}" "$@"
'''


def architecture():
    return subprocess.run(['dpkg', '--print-architecture'], stdout=subprocess.PIPE, check=True, text=True, timeout=60).stdout.strip()


def unpack(folder):
    """What this machine has not, as its own list of packages says: apt is asked to plan with a copy of that."""
    packages = archive.Archive(folder, architecture(), SUITE)
    packages.update()
    shutil.copyfile('/var/lib/dpkg/status', folder / 'status')
    packages.unpack([NAME], folder / 'root')


def write_start(folder, name):
    """A program that starts lldb's from the folder: with its libraries, and its Python module in the place of lldb 14's."""
    root = folder / 'root/usr/lib'
    libraries = ':'.join(str(path) for path in [*sorted(root.glob('*-linux-gnu')), root / 'llvm-19/lib'])
    modules = next(root.glob('llvm-19/lib/python3*/*-packages'), root)
    start = folder / f'{name}-19'
    start.write_text(START.format(libraries=libraries, modules=modules, program=root / f'llvm-19/bin/{name}'))
    start.chmod(0o755)


def fetch(folder=None):
    """The program lldb-19 in the folder, made when it is not there yet. archive.Missing says why it cannot be had."""
    folder = pathlib.Path(folder).resolve() if folder else archive.store(NAME)
    done = folder / 'done'
    with archive.alone(folder):
        if not done.exists():
            shutil.rmtree(folder / 'root', ignore_errors=True)
            (folder / 'root').mkdir(parents=True)
            unpack(folder)
            for name in PROGRAMS:
                write_start(folder, name)
            done.touch()  # last: all the rest is there
    return folder / 'lldb-19'


def find(program='lldb'):
    """Where `lldb` or `lldb-server` of version 19 is, unpacked for the builds of this tree or installed; None: nowhere."""
    folder = archive.place(NAME)
    return str(folder / f'{program}-19') if (folder / 'done').exists() else shutil.which(f'{program}-19')


def main():
    try:
        print(fetch(*sys.argv[1:2]))
    except Missing as why:
        sys.exit(f'{sys.argv[0]}: {why}')


if __name__ == '__main__':
    main()
