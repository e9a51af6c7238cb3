"""What the machines that tests bring boot: Debian's kernel with KVM's modules, unmodified, and an initial file system that is
made of this build's programs, Debian's, and the tests. All of it is made from nothing, and kept in one folder."""

import hashlib
import json
import os
import pathlib
import re
import subprocess
import sys
import tarfile
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path[:0] = [str(ROOT / 'tools'), str(ROOT / 'tests/emulator')]

import archive  # noqa: E402
import initrd  # noqa: E402

KERNEL = 'linux-image-cloud-amd64'  # depends on the kernel of the day
ARCHITECTURE, SUITE = 'amd64', 'bookworm'
# In the order in which they are loaded; the kernel refuses that of the other maker's CPUs.
MODULES = ('irqbypass', 'kvm', 'kvm-intel', 'kvm-amd')
# For the guest that is Linux itself.
GUEST_MODULES = ('failover', 'net_failover', 'virtio', 'virtio_ring', 'virtio_mmio', 'virtio_blk', 'virtio_console', 'virtio_net', 'virtio-rng')

Missing = archive.Missing


def unpack_kernel(package, folder):
    """The kernel and some of its modules, without what only their debuggers want."""
    (folder / 'modules').mkdir(exist_ok=True)
    with subprocess.Popen(['dpkg-deb', '--fsys-tarfile', package], stdout=subprocess.PIPE) as unpacker:
        with tarfile.open(fileobj=unpacker.stdout, mode='r|') as members:
            for member in members:
                path = pathlib.PurePath(member.name)
                if member.isfile() and path.name.startswith('vmlinuz-'):
                    (folder / 'vmlinuz.part').write_bytes(members.extractfile(member).read())
                elif member.isfile() and path.name.removesuffix('.ko') in MODULES + GUEST_MODULES:
                    target = folder / 'modules' / path.name
                    target.write_bytes(members.extractfile(member).read())
                    subprocess.run(['strip', '--strip-debug', target], check=True, timeout=60)
    (folder / 'vmlinuz.part').rename(folder / 'vmlinuz')  # last: all the rest is there


def kernel(folder):
    """The kernel's file, with its modules beside it; made when it is not there yet."""
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / 'vmlinuz').exists():
        package = archive.Archive(folder, ARCHITECTURE, SUITE).fetch(KERNEL, r'linux-image-\S+-cloud-amd64')
        unpack_kernel(package, folder)
        package.unlink()
    return folder / 'vmlinuz'


def gdb(folder):
    """Debian's gdb without Python, which needs a tenth of the libraries of the usual one; made when it is not there yet."""
    program = folder / 'gdb/usr/bin/gdb'
    if not program.exists():
        package = archive.Archive(folder, ARCHITECTURE, SUITE).fetch('gdb-minimal')
        subprocess.run(['dpkg-deb', '-x', package, folder / 'gdb'], check=True, timeout=300)
        package.unlink()
    return program


def shell(folder):
    """Debian's busybox that needs no library; made when it is not there yet."""
    program = folder / 'busybox/bin/busybox'
    if not program.exists():
        package = archive.Archive(folder, ARCHITECTURE, SUITE).fetch('busybox-static')
        subprocess.run(['dpkg-deb', '-x', package, folder / 'busybox'], check=True, timeout=300)
        package.unlink()
    return program


def guest_files(folder):
    """The first file system of Linux as a guest: its first process, and a shell."""
    first = compile_static([HERE / 'guests/linux_init.c'], folder / 'linux_init')
    files = {'init': stripped(first, folder)}
    files['bin/sh'] = shell(folder).read_bytes()
    for number, name in enumerate(('virtio', 'virtio_ring', 'virtio_mmio', 'virtio_console', 'virtio_blk')):
        files[f'modules/{number:02}.ko'] = (folder / 'modules' / f'{name}.ko').read_bytes()
    initrd.make(folder / 'linux.files', files)
    return folder / 'linux.files'


def libraries(program):
    """The shared libraries that a program is loaded with, its loader among them."""
    shown = subprocess.run(['ldd', program], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60, check=False).stdout
    missing = re.findall(r'^\s*(\S+) => not found', shown, re.M)
    if missing:
        raise Missing(f'{program} needs {", ".join(missing)}')
    return [pathlib.Path(path) for path in re.findall(r'(?:=> |^\s)(/\S+) \(0x', shown, re.M)]


def stripped(path, folder):
    """A file's bytes without symbols: less to load."""
    with tempfile.NamedTemporaryFile(dir=folder) as copy:
        subprocess.run(['strip', '-o', copy.name, path], check=True, timeout=60)
        return pathlib.Path(copy.name).read_bytes()


def with_libraries(path, where, folder):
    """{place in the file system: bytes} of a program at `where`, and of all that it is loaded with."""
    files = {where: stripped(path, folder)}
    for library in libraries(path):
        files[str(library).lstrip('/')] = stripped(library, folder)
    return files


def python_modules(names, folders):
    """The files of modules with all that they import, as Python itself finds them: {name of the file below its folder: path}."""
    program = ('import sys, json, importlib\n'
               f'sys.path[:0] = {[str(folder) for folder in folders]!r}\n'
               f'for name in {list(names)!r}: importlib.import_module(name)\n'
               'print(json.dumps([module.__file__ for module in list(sys.modules.values()) if getattr(module, "__file__", None)]))')
    shown = subprocess.run([PYTHON, '-S', '-E', '-c', program], stdout=subprocess.PIPE, text=True, timeout=60, check=True).stdout
    return [pathlib.Path(path) for path in json.loads(shown)]


PYTHON = '/usr/bin/python3'
# What programs get in ways that an import does not show.
PYTHON_MORE = ('encodings.idna', 'encodings.latin_1', 'encodings.ascii', 'encodings.utf_8', 'traceback', 'warnings', 'contextlib', 'runpy',
               'pkgutil', 'importlib.util', 'importlib.machinery')


def python(names, folders, folder):
    """Python with what those modules import, compiled; modules from `folders` come to /tests, with their own folders in it."""
    program = pathlib.Path(PYTHON).resolve()
    files = with_libraries(program, 'usr/bin/python3', folder)
    home = f'usr/lib/{program.name}'
    for path in python_modules([*names, *PYTHON_MORE], folders):
        if path.suffix == '.so':
            files.update(with_libraries(path, str(path).lstrip('/'), folder))
            continue
        ours = [base for base in folders if base in path.parents]
        place = f'tests/{path.relative_to(ours[0])}' if ours else f'{home}/{path.relative_to("/" + home)}'
        files[place + 'c'] = compiled(path, place, folder)
    return files


def compiled(path, place, folder):
    """A module as Python keeps it: compiling it in there would take a minute."""
    program = 'import py_compile, sys; py_compile.compile(sys.argv[1], sys.argv[2], sys.argv[3], doraise=True)'
    with tempfile.TemporaryDirectory(dir=folder) as here:
        target = pathlib.Path(here) / 'compiled.pyc'
        subprocess.run([PYTHON, '-S', '-E', '-c', program, path, target, '/' + place], check=True, timeout=60)
        return target.read_bytes()


def compile_static(sources, target, *words):
    """A program that needs no library; made when it is not there yet, or was made of something else. Times say nothing of that:
    another version of the sources, or another folder's copy, may well be older."""
    command = ['gcc', '-static', '-O2', '-g', '-Wall', '-Wextra', '-Werror', '-o', target, *sources, *words]
    made_of = hashlib.sha256(repr([str(word) for word in command]).encode())
    for source in sources:
        made_of.update(source.read_bytes())
    note = target.with_name(target.name + '.made-of')
    if not target.exists() or not note.exists() or note.read_text() != made_of.hexdigest():
        note.unlink(missing_ok=True)
        subprocess.run(command, check=True, timeout=120)
        note.write_text(made_of.hexdigest())
    return target


def make(target, folder, files):
    """The initial file system: init, the modules in their order, and those files."""
    init = compile_static([HERE / 'init.c'], folder / 'init')
    whole = {'init': stripped(init, folder)}
    for number, name in enumerate(MODULES):
        whole[f'modules/{number:02}.ko'] = (folder / 'modules' / f'{name}.ko').read_bytes()
    whole.update(files)
    for place in ('proc', 'sys', 'tmp', 'run'):
        whole.setdefault(f'{place}/.keep', b'')
    initrd.make(target, whole)
    os.sync()
    return target
