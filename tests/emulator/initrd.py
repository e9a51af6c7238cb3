"""Programs and initial file systems for an emulated Linux, without a C library and without tools that need one."""

import os
import pathlib
import subprocess

DIRECTORY, FILE, CHARACTERS, LINK = 0o40755, 0o100755, 0o20600, 0o120777


def compile_program(source, target, address=None):
    """A freestanding program for RISC-V, from one C file: for Linux, or for an address of physical memory."""
    target = pathlib.Path(target)
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_suffix('.o')
    subprocess.run(['clang', '--target=riscv64-unknown-elf', '-march=rv64gc', '-mabi=lp64d', '-mno-relax', '-O2', '-Wall', '-Wextra',
                    '-Werror', '-ffreestanding', '-fno-pic', '-mcmodel=medany', '-c', '-o', part, source], check=True, timeout=60)
    place = ['-N', '--no-warn-rwx-segments', f'-Ttext={address:#x}'] if address is not None else []
    subprocess.run(['riscv64-linux-gnu-ld', '-static', *place, '-o', target, part], check=True, timeout=60)
    return target


def entry(number, name, mode, data=b'', device=(0, 0)):
    """One member of an archive in cpio's "newc" format (Linux, Documentation/driver-api/early-userspace)."""
    fields = [number, mode, 0, 0, 1, 0, len(data), 0, 0, *device, len(name) + 1, 0]
    head = b'070701' + b''.join(b'%08x' % field for field in fields) + name.encode() + b'\0'
    return head + bytes(-len(head) % 4) + data + bytes(-len(data) % 4)


def make(target, files):
    """An initial file system of {path: bytes}, or of where a symbolic link leads, as text; with /dev/console."""
    folders = {str(parent) for path in files for parent in pathlib.PurePath(path).parents if str(parent) != '.'}
    members = [(name, DIRECTORY, b'', (0, 0)) for name in sorted(folders | {'dev'})]
    members.append(('dev/console', CHARACTERS, b'', (5, 1)))
    members += [(name, LINK, data.encode(), (0, 0)) if isinstance(data, str) else (name, FILE, data, (0, 0))
                for name, data in sorted(files.items())]
    members.append(('TRAILER!!!', 0, b'', (0, 0)))
    pathlib.Path(target).write_bytes(b''.join(entry(i, *member) for i, member in enumerate(members, 1)))
    return target


def read_tree(folder, wanted=lambda path: True):
    """{path: bytes, or where a symbolic link leads, as text}, of the files below a folder that are wanted."""
    files = {}
    for path in sorted(pathlib.Path(folder).rglob('*')):
        name = path.relative_to(folder)
        if wanted(name) and path.is_symlink():
            files[str(name)] = os.readlink(path)
        elif wanted(name) and path.is_file():
            files[str(name)] = path.read_bytes()
    return files
