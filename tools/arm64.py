#!/usr/bin/env python3
"""What building for 64-bit Arm takes, from Debian's archive: arm64.py [FOLDER]

The packages that tools/packages.txt names for building are unpacked as arm64 ones into FOLDER/sysroot, with gdbserver, which
ours is measured against; FOLDER/kernel and FOLDER/modules are Debian's kernel for virtual machines. FOLDER/sysroot.cross
tells Meson where the sysroot is, after tools/arm64.cross. What is there already is taken. Without FOLDER it is the one that
all builds of this tree share."""

import lzma
import os
import pathlib
import shutil
import subprocess
import sys
import tarfile

import archive

ROOT = pathlib.Path(__file__).resolve().parent.parent
ARCHITECTURE, SUITE = 'arm64', 'bookworm'
KERNEL = 'linux-image-cloud-arm64'  # depends on the kernel of the day
MODULES = {'virtio', 'virtio_ring', 'virtio_mmio', 'virtio_net', 'net_failover', 'failover'}
COMPILER = 'libgcc-12-dev'  # what clang links programs with


def store():
    """The folder that all builds share."""
    return archive.store('debian-arm64')


def libraries():
    """The packages with headers and libraries that a build needs, from the list of this machine's."""
    lines = (ROOT / 'tools/packages.txt').read_text().splitlines()
    words = [line.split() for line in lines if not line.startswith('#')]
    return [name for name, kind, *_ in words if kind == 'build' and name.endswith('-dev')]


def mend_links(root):
    """Absolute links lead into this machine: they become relative ones, inside the folder."""
    for path in root.rglob('*'):
        if path.is_symlink() and os.readlink(path).startswith('/'):
            inside = root / os.readlink(path).lstrip('/')
            path.unlink()
            path.symlink_to(os.path.relpath(inside, path.parent))


def sysroot(folder):
    """The folder with what programs for arm64 are linked with, made when it is not there yet."""
    with archive.alone(folder):
        return make_sysroot(folder)


def make_sysroot(folder):
    done, wanted = folder / 'sysroot.cross', [*libraries(), COMPILER, 'gdbserver']
    root = folder / 'sysroot'
    # It says what it was made of: a list that has grown makes it anew.
    text = f"# {' '.join(wanted)}\n[constants]\nsysroot = '{root}'\n"
    if not done.exists() or done.read_text() != text:
        packages = archive.Archive(folder, ARCHITECTURE, SUITE)
        shutil.rmtree(root, ignore_errors=True)
        root.mkdir(parents=True)
        packages.update()
        packages.unpack(wanted, root)
        mend_links(root)
        done.write_text(text)  # last: all the rest is there
    return folder / 'sysroot'


def unpack_kernel(package, folder):
    """The kernel and some of its modules."""
    (folder / 'modules').mkdir(exist_ok=True)
    with subprocess.Popen(['dpkg-deb', '--fsys-tarfile', package], stdout=subprocess.PIPE) as unpacker:
        with tarfile.open(fileobj=unpacker.stdout, mode='r|') as members:
            for member in members:
                path = pathlib.PurePath(member.name)
                if member.isfile() and path.name.startswith('vmlinuz-'):
                    (folder / 'kernel.part').write_bytes(members.extractfile(member).read())
                elif member.isfile() and path.name.partition('.')[0] in MODULES and '.ko' in path.suffixes:
                    data = members.extractfile(member).read()
                    if path.suffix == '.xz':
                        data = lzma.decompress(data)
                    (folder / 'modules' / (path.name.partition('.')[0] + '.ko')).write_bytes(data)
    (folder / 'kernel.part').rename(folder / 'kernel')  # last: all the rest is there


def kernel(folder):
    """The kernel's file, with its modules beside it; made when it is not there yet."""
    with archive.alone(folder):
        if not (folder / 'kernel').exists():
            package = archive.Archive(folder, ARCHITECTURE, SUITE).fetch(KERNEL, r'linux-image-\S+-cloud-arm64')
            unpack_kernel(package, folder)
            package.unlink()
    return folder / 'kernel'


def main():
    folder = pathlib.Path(sys.argv[1]).resolve() if sys.argv[1:] else store()
    try:
        print(sysroot(folder))
        print(kernel(folder))
    except archive.Missing as why:
        sys.exit(f'{sys.argv[0]}: {why}')


if __name__ == '__main__':
    main()
