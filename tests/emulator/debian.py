#!/usr/bin/env python3
"""Debian's kernel for RISC-V, unmodified, from the release after this machine's: debian.py FOLDER

apt fetches it from the mirror that this machine uses, with lists and state of its own in FOLDER; what is there already is
taken. Afterwards FOLDER holds `vmlinux` (the kernel's Image) and `modules`, unpacked ones, all in one folder."""

import lzma
import pathlib
import re
import shutil
import subprocess
import sys
import tarfile

SUITE = 'trixie'
PACKAGE = 'linux-image-riscv64'  # depends on the kernel of the day
MODULES = {'virtio_mmio', 'virtio_blk', 'virtio-rng', 'failover', 'net_failover', 'virtio_net',
           'ext4', 'jbd2', 'mbcache', 'crc16', 'crc32c_generic', 'libcrc32c'}


class Missing(Exception):
    """It cannot be had; the text says why."""


def own_mirror():
    """The address of Debian's archive that this machine's apt uses, and what it is signed by, as an option."""
    folder = pathlib.Path('/etc/apt')
    texts = [path.read_text() for path in [folder / 'sources.list', *sorted(folder.glob('sources.list.d/*'))]
             if path.is_file()]
    for text in texts:
        for stanza in re.split(r'\n\s*\n', text):
            fields = dict(re.findall(r'^([A-Za-z-]+):\s*(.*)$', stanza, re.MULTILINE))
            if 'main' in fields.get('Components', '').split() and 'security' not in fields.get('URIs', 'security'):
                if fields['URIs'].rstrip('/').endswith('debian'):
                    signed = fields.get('Signed-By')
                    return fields['URIs'].split()[0], f'[arch=riscv64 signed-by={signed}]' if signed else '[arch=riscv64]'
        for line in re.findall(r'^deb\s+(?:\[([^]]*)\]\s+)?(\S+/debian/?)\s+\S+\s+.*\bmain\b', text, re.MULTILINE):
            signed = re.search(r'signed-by=(\S+)', line[0])
            return line[1], f'[arch=riscv64 {signed[0] if signed else ""}]'
    raise Missing('no line of /etc/apt names an archive of Debian')


def apt(folder, *words):
    """Runs apt-get or apt-cache on lists of its own; what it printed."""
    options = {'Dir::Etc::sourcelist': folder / 'sources.list', 'Dir::Etc::sourceparts': '/dev/null',
               'Dir::State': folder / 'state', 'Dir::State::status': folder / 'status', 'Dir::Cache': folder / 'cache',
               'APT::Architecture': 'riscv64', 'APT::Architectures': 'riscv64', 'Acquire::Languages': 'none',
               'APT::Sandbox::User': 'root'}
    settings = [word for name, value in options.items() for word in ('-o', f'{name}={value}')]
    result = subprocess.run([words[0], '-q', *settings, *words[1:]], cwd=folder, stdout=subprocess.PIPE,
                            stderr=subprocess.STDOUT, text=True, timeout=900, check=False)
    if result.returncode != 0:
        raise Missing(f'{" ".join(words)} failed:\n{result.stdout}')
    return result.stdout


def update(folder):
    """Lists of what there is, in a folder."""
    for name in ['state/lists/partial', 'cache/archives/partial']:
        (folder / name).mkdir(parents=True, exist_ok=True)
    (folder / 'status').touch()
    address, options = own_mirror()
    (folder / 'sources.list').write_text(f'deb {options} {address} {SUITE} main\n')
    apt(folder, 'apt-get', 'update')


def fetch(folder):
    """The package of the kernel of the day, in a folder."""
    update(folder)
    name = re.search(r'Depends: (linux-image-\S+-riscv64)', apt(folder, 'apt-cache', 'depends', PACKAGE))
    if name is None:
        raise Missing(f'{PACKAGE} depends on no kernel')
    apt(folder, 'apt-get', 'download', name[1])
    return next(folder.glob(name[1] + '_*.deb'))


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


def kernel(folder):
    """The folder with kernel and modules, made when they are not there yet."""
    folder = pathlib.Path(folder).resolve()
    if not (folder / 'vmlinux').exists():
        package = fetch(folder)
        unpack(package, folder)
        package.unlink()
    return folder


def unpack_packages(folder, names, target):
    """Packages with all that they depend on, unpacked into a folder, though nothing is set up there."""
    update(folder)
    apt(folder, 'apt-get', 'install', '--download-only', '--no-install-recommends', '-y', *names)
    for package in sorted((folder / 'cache/archives').glob('*.deb')):
        subprocess.run(['dpkg-deb', '-x', package, target], check=True, timeout=300)
        package.unlink()


def main():
    try:
        print(kernel(sys.argv[1]))
    except Missing as why:
        sys.exit(f'{sys.argv[0]}: {why}')


if __name__ == '__main__':
    main()
