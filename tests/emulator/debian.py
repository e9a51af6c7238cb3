#!/usr/bin/env python3
"""Debian's kernel for RISC-V, unmodified, from the release after this machine's: debian.py [FOLDER]

apt fetches it from the mirror that this machine uses, if need be with lists and state of its own in FOLDER; what is there
already is taken. Afterwards FOLDER holds `vmlinux` (the kernel's Image) and `modules`, unpacked ones, all in one folder. Without FOLDER
it is the one that all builds of this tree share."""

import lzma
import pathlib
import shutil
import subprocess
import sys
import tarfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / 'tools'))
import archive  # noqa: E402 pylint: disable=wrong-import-position
from archive import Missing  # noqa: E402 pylint: disable=wrong-import-position

SUITE = 'trixie'
ARCHITECTURE = 'riscv64'
PACKAGE = 'linux-image-riscv64'  # depends on the kernel of the day
# The kernel that the tests were last seen to pass with: the same for everybody, as long as the archive has it.
KNOWN = ('pool/main/l/linux/linux-image-6.12.107+deb13-riscv64_6.12.107-1_riscv64.deb',
         'abe9f65d74b434692149482b031db7a2aaf832921e09f69f775293c0e0c5799c')
MODULES = {'virtio_mmio', 'virtio_blk', 'virtio-rng', 'failover', 'net_failover', 'virtio_net',
           'ext4', 'jbd2', 'mbcache', 'crc16', 'crc32c_generic', 'libcrc32c'}


def own_mirror():
    """The address of Debian's archive that this machine's apt uses, and options of a line that names it."""
    return archive.own_mirror(ARCHITECTURE)


def fetch(folder):
    """The package of the kernel that is known, or of the kernel of the day, in a folder."""
    known = archive.fetch_known(folder, ARCHITECTURE, *KNOWN)
    if known is not None:
        return known
    return archive.Archive(folder, ARCHITECTURE, SUITE).fetch(PACKAGE, r'linux-image-\S+-riscv64')


def unpack(package, folder):
    """The kernel and some of its modules."""
    (folder / 'modules').mkdir(exist_ok=True)
    with subprocess.Popen(['dpkg-deb', '--fsys-tarfile', package], stdout=subprocess.PIPE) as unpacker:
        with tarfile.open(fileobj=unpacker.stdout, mode='r|') as archive:
            for member in archive:
                path = pathlib.PurePath(member.name)
                if member.isfile() and path.name.startswith('vmlinux-'):
                    with open(folder / 'vmlinux.part', 'wb') as kernel:
                        shutil.copyfileobj(archive.extractfile(member), kernel)
                elif member.isfile() and path.name.removesuffix('.ko.xz') in MODULES:
                    (folder / 'modules' / path.stem).write_bytes(lzma.decompress(archive.extractfile(member).read()))
    (folder / 'vmlinux.part').rename(folder / 'vmlinux')  # last: all the rest is there


def kernel(folder=None):
    """The folder with kernel and modules, made when they are not there yet."""
    folder = pathlib.Path(folder).resolve() if folder else archive.store('debian-riscv64')
    with archive.alone(folder):
        if not (folder / 'vmlinux').exists():
            package = fetch(folder)
            unpack(package, folder)
            package.unlink()
    return folder


def unpack_packages(folder, names, target):
    """Packages with all that they depend on, unpacked into a folder, though nothing is set up there."""
    packages = archive.Archive(folder, ARCHITECTURE, SUITE)
    packages.update()
    packages.unpack(names, target)


def main():
    try:
        print(kernel(*sys.argv[1:2]))
    except Missing as why:
        sys.exit(f'{sys.argv[0]}: {why}')


if __name__ == '__main__':
    main()
