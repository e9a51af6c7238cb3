#!/usr/bin/env python3
"""Debian for RISC-V on the emulated machine, from debootstrap to the power off: userland.py --build FOLDER

debootstrap unpacks it here, its second stage runs inside the machine. Then, with 1 hart and with 4, a login on the serial
console compiles a C program with the guest's own gcc and runs it, installs a package from the mirror over the virtio
network, and switches the machine off. The disk stays in the build folder for the next time; --new makes it again."""

import argparse
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

import debian
import initrd
from console import Console, Silent

ROOT = pathlib.Path(__file__).resolve().parents[2]
PACKAGES = ['systemd-sysv', 'udev', 'dbus', 'gcc', 'libc6-dev', 'iproute2']
DRIVERS = ['virtio_mmio', 'virtio_blk', 'virtio-rng', 'failover', 'net_failover', 'virtio_net', 'crc16', 'crc32c_generic',
           'libcrc32c', 'mbcache', 'jbd2', 'ext4']  # each behind those that it needs
DISK_MEBIBYTES, MEMORY_MEBIBYTES = 2048, 512
STAGE_DEADLINE, BOOT_DEADLINE, DEADLINE = 3600, 400, 300
PASSWORD = 'trapline'
# Nobody else knows the disk: what is half written when the host fails is made again. Nobody reads the manuals.
DPKG = 'force-unsafe-io\npath-exclude=/usr/share/doc/*\npath-exclude=/usr/share/man/*\npath-exclude=/usr/share/locale/*\n'
NETWORK = '[Match]\nName=e*\n[Network]\nAddress=10.0.2.15/24\nGateway=10.0.2.2\n'
SECOND_STAGE = f"""#!/bin/sh
export PATH=/usr/sbin:/usr/bin:/sbin:/bin DEBIAN_FRONTEND=noninteractive
mount -t tmpfs tmpfs /tmp
mount -t sysfs sysfs /sys
cd /
/debootstrap/debootstrap --second-stage
echo "second stage: $?"
echo root:{PASSWORD} | chpasswd
echo emulated > /etc/hostname
echo 'nameserver 10.0.2.3' > /etc/resolv.conf
systemctl enable systemd-networkd
mount -t proc proc /proc
rm /second-stage
sync
poweroff -ff
"""
PROGRAM = r"""#include <stdio.h>
#include <math.h>
int main(void)
{
	double sum = 0;

	for (int i = 1; i <= 1000000; i++)
		sum += 1.0 / i;
	printf("sum: %.9f of %zu bits\n", sum + log(1), 8 * sizeof(long));
	return 0;
}
"""

passed = failed = 0


def check(what, good, shown=''):
    """Counts, and shows what was seen when it is not as it should be."""
    global passed, failed
    passed += bool(good)
    failed += not good
    print(f'{"ok" if good else "FAILED"} {what}', flush=True)
    if not good and shown:
        print(shown)


def run(*command, **more):
    result = subprocess.run([str(word) for word in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                            check=False, **more)
    if result.returncode != 0:
        raise debian.Missing(f'{command[0]} failed:\n{result.stdout[-2000:]}')


def unpack(folder):
    """The first stage: packages unpacked on this machine, as the file system of a disk."""
    if shutil.which('debootstrap') is None or os.geteuid() != 0:
        raise debian.Missing('it takes debootstrap, and root to unpack with its owners')
    address, _ = debian.own_mirror()
    root = folder / 'root'
    run('debootstrap', '--foreign', '--arch=riscv64', '--variant=minbase', f'--include={",".join(PACKAGES)}', debian.SUITE,
        root, address, timeout=1200)
    (root / 'etc/dpkg/dpkg.cfg.d').mkdir(parents=True, exist_ok=True)
    (root / 'etc/dpkg/dpkg.cfg.d/emulated').write_text(DPKG)
    (root / 'etc/systemd/network').mkdir(parents=True, exist_ok=True)
    (root / 'etc/systemd/network/emulated.network').write_text(NETWORK)
    (root / 'second-stage').write_text(SECOND_STAGE)
    (root / 'second-stage').chmod(0o755)
    run('mke2fs', '-q', '-t', 'ext4', '-d', root, folder / 'disk', f'{DISK_MEBIBYTES}m', timeout=600)


def make_disk(options):
    """Both stages; the disk's path."""
    made = options.kernel / 'userland.ext4'
    if made.exists() and not options.new:
        return made
    with tempfile.TemporaryDirectory(prefix='trapline-userland-', dir=options.kernel) as name:
        folder = pathlib.Path(name)
        began = time.monotonic()
        unpack(folder)
        print(f'unpacked: {time.monotonic() - began:.0f} s', flush=True)
        began = time.monotonic()
        result = subprocess.run([options.machine, '--memory', str(MEMORY_MEBIBYTES), '--kernel', options.kernel / 'vmlinux',
                                 '--initrd', options.initrd, '--disk', f'{folder / "disk"},write', '--random', 'second stage',
                                 '--append', 'console=ttyS0 quiet panic=-1 start=/second-stage'], stdout=subprocess.PIPE,
                                stderr=subprocess.STDOUT, timeout=STAGE_DEADLINE, check=False)
        said = result.stdout.decode(errors='replace')
        good = 'second stage: 0\n' in said.replace('\r', '') and result.returncode == 0
        check(f'the second stage of debootstrap inside the machine, {time.monotonic() - began:.0f} s', good, said[-5000:])
        print(said.splitlines()[-2])  # how fast that was
        if not good:
            return None
        (folder / 'disk').rename(made)
    return made


class Guest:
    """A machine with a root prompt, which tells how long what takes."""

    def __init__(self, harts, console):
        self.console, self.harts, self.began = console, harts, time.monotonic()
        self.number = 0  # of commands

    def passed(self, what, good, shown=''):
        check(f'{self.harts} harts, {time.monotonic() - self.began:.0f} s: {what}', good, shown)

    def do(self, command, seconds):
        """Its status, and what it printed."""
        self.number += 1
        # The mark stands otherwise in what is typed than in what is printed, since the terminal shows both.
        self.console.type(f'{command}; echo end""-{self.number}-$?-\n')
        printed = self.console.expect(f'end-{self.number}-', seconds)
        status = self.console.expect('-', seconds)
        return int(status), printed


def log_in(guest):
    guest.console.expect('login: ', BOOT_DEADLINE)
    guest.passed('a login on the serial console', True)
    guest.console.type('root\n')
    guest.console.expect('assword: ', DEADLINE)
    guest.console.type(f'{PASSWORD}\n')
    guest.console.expect('# ', DEADLINE)
    status, printed = guest.do('uname -m; nproc; stty -echo', DEADLINE)
    words = printed.split()
    guest.passed('logged in', status == 0 and 'riscv64' in words and str(guest.harts) in words, printed)


def compile_and_run(guest):
    text = PROGRAM.replace('\t', ' ')  # a tab would be completed
    guest.do(f"cat > sum.c <<'END'\n{text}END\n:", DEADLINE)
    status, printed = guest.do('gcc -O2 -Wall -Werror sum.c -o sum -lm && ./sum', DEADLINE)
    guest.passed('gcc compiles a program, and it runs', status == 0 and 'sum: 14.392726723 of 64 bits' in printed, printed)


def install(guest):
    address, _ = debian.own_mirror()
    guest.do(f'echo "deb {address} {debian.SUITE} main" > /etc/apt/sources.list', DEADLINE)
    status, printed = guest.do('apt-get -q update', 2 * DEADLINE)
    guest.passed('apt-get update over the network', status == 0 and 'Err:' not in printed, printed)
    status, printed = guest.do('apt-get -q install -y hello && hello', DEADLINE)
    guest.passed('a package installed, and it runs', status == 0 and 'Hello, world!' in printed, printed)


def use(options, disk, harts):
    words = ['--kernel', options.kernel / 'vmlinux', '--initrd', options.initrd, '--append', 'console=ttyS0 quiet', '--harts', harts,
             '--memory', f'{MEMORY_MEBIBYTES}M', '--disk', disk, '--network']
    with Console([options.trapline, '-q', '-ex', 'continue', 'emu', *words]) as console:
        guest = Guest(harts, console)
        try:
            for step in [log_in, compile_and_run, install]:
                step(guest)
            console.type('poweroff\n')
            console.expect('exited normally', DEADLINE)
            guest.passed('switched off', True)
        except Silent as why:
            guest.passed('it went on', False, str(why))


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.split('\n\n')[0])
    parser.add_argument('--build', default='build')
    parser.add_argument('--kernel', help='a folder as debian.py makes it (default: the one of all builds)')
    parser.add_argument('--new', action='store_true', help='make the disk again')
    parser.add_argument('--harts', default='1,4', help='with how many (default: %(default)s)')
    options = parser.parse_args()
    build = pathlib.Path(options.build).resolve()
    options.machine, options.trapline = build / 'tests/emulator/boot-machine', build / 'trapline'
    options.kernel = debian.kernel(options.kernel)
    # guest/root.c: it looks for the drivers, and then for the disk, in these
    program = initrd.compile_program(ROOT / 'tests/emulator/guest/root.c', build / 'tests/emulator/guest-root')
    files = {f'modules/{name}.ko': (options.kernel / f'modules/{name}.ko').read_bytes() for name in DRIVERS}
    order = ''.join(f'/modules/{name}.ko\n' for name in DRIVERS)
    files |= {'init': program.read_bytes(), 'modules/order': order.encode()}
    options.initrd = initrd.make(build / 'tests/emulator/root.cpio', files)
    return options


def main():
    try:
        options = parse_arguments()
        disk = make_disk(options)
        for harts in options.harts.split(',') if disk is not None else []:
            use(options, disk, int(harts))
    except (debian.Missing, subprocess.TimeoutExpired) as why:
        check('Debian is there', False, str(why))
    print(f'{passed} passed, {failed} failed')
    return failed != 0


if __name__ == '__main__':
    sys.exit(main())
