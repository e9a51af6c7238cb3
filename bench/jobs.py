"""Real jobs inside an emulated Linux: Debian's kernel, with programs of its packages in an initial file system.

One boot does them all. What the guest prints tells when a job begins and ends; a sample is what the emulator takes
between the two lines, in processor time or by the clock. openssl decides by the guest's clock how much it does: there a
sample is what a fixed amount takes. With several harts as many copies of a job run at once.
"""

import os
import pathlib
import re
import select
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / 'tests/emulator'))
import debian  # noqa: E402 pylint: disable=wrong-import-position
import initrd  # noqa: E402 pylint: disable=wrong-import-position

PACKAGES = ['openssl', 'xz-utils', 'gcc-14', 'libc6-dev', 'busybox']
# Without what none of the jobs opens: the kernel would spend half of the boot on unpacking it.
UNWANTED = re.compile(r'usr/share/|usr/libexec/.*/lto|.*\.a$|usr/lib/[^/]*/(gconv|ldscripts|perl[^/]*)/|usr/lib/linux/'
                      r'|usr/bin/(?!busybox$|openssl$|xz$|(riscv64-linux-gnu-)?(gcc-14|as)$)')
SOURCE = 'targets/emulator/interpreter.c'
PACKED = 'usr/lib/riscv64-linux-gnu/libcrypto.so.3'
PACKED_SIZE = 1 << 20
MEBIBYTES = 1024  # of the guest's memory
DEADLINE = 900

# name: what it is, and for openssl how it says what it did, and how much of that a sample is for
JOBS = {
    'sha': ('openssl speed, SHA-256 of 64 MiB', r'(\d+) sha256 ops in', 8192),
    'aes': ('openssl speed, AES-128-CBC of 64 MiB', r'(\d+) AES-128-CBC ops in', 8192),
    'ecdsa': ('openssl speed, 1000 signatures and checks of P-256', r'(\d+) 256 bits ECDSA \w+ ops in', 1000),
    'gcc': ('gcc -O2 of a file of C', None, None),
    'xz': ('xz of a shared library\'s first MiB', None, None),
}
INIT = f"""#!/usr/bin/busybox sh
export PATH=/usr/bin OPENSSL_riscvcap=rv64gc_zba_zbb_zbs
busybox mount -t proc proc /proc
busybox mount -t devtmpfs dev /dev
busybox head -c {PACKED_SIZE} {PACKED} > /packed
echo "jobs: init"
busybox sleep 3 # the kernel still tests its ciphers, and frees what it unpacked
job() {{
	name=$1; shift; number=$(busybox nproc)
	echo "jobs: $name begins"
	while [ $number -gt 0 ]; do
		{{ "$@" > /out.$number 2>&1 || echo "jobs: $name failed" >> /out.$number; }} &
		number=$((number - 1))
	done
	wait
	echo "jobs: $name ends"
	busybox cat /out.*
}}
pack() {{ xz -T1 -c /packed | busybox wc -c; }}
job sha openssl speed -seconds 4 -bytes 8192 -evp sha256
job aes openssl speed -seconds 4 -bytes 8192 -evp aes-128-cbc
job ecdsa openssl speed -seconds 4 ecdsap256
job gcc gcc-14 -std=gnu17 -O2 -I/source -c -o /dev/null /source/{SOURCE}
job xz pack
echo "jobs: done"
busybox poweroff -f
"""


def make():
    """The kernel's folder and the initial file system, made if they are not there yet. Raises debian.Missing."""
    folder = debian.kernel()
    made = folder / 'jobs.cpio'
    if made.exists() and made.stat().st_mtime > os.path.getmtime(__file__):
        return folder, made
    with tempfile.TemporaryDirectory(prefix='jobs-', dir=folder) as name:
        root = pathlib.Path(name) / 'root'
        debian.unpack_packages(folder, PACKAGES, root)
        files = initrd.read_tree(root, lambda path: not UNWANTED.match(str(path)))
    for part in ['base', 'core', 'machine', 'targets']:
        headers = initrd.read_tree(ROOT / part, lambda path: path.suffix == '.h')
        files |= {f'source/{part}/{path}': data for path, data in headers.items()}
    files[f'source/{SOURCE}'] = (ROOT / SOURCE).read_bytes()
    files |= {'init': INIT.encode(), 'bin': 'usr/bin', 'lib': 'usr/lib', 'proc/.here': b'', 'tmp/.here': b''}
    initrd.make(made, files)
    return folder, made


def commands(build, folder, image, harts, ours, names):
    """{emulator: command}, of those among names."""
    append = 'console=ttyS0 quiet'
    mine = [os.path.join(build, 'tests', 'emulator', 'boot-machine'), '--harts', str(harts), '--memory', str(MEBIBYTES),
            '--kernel', str(folder / 'vmlinux'), '--initrd', str(image), '--append', append]
    qemu = ['qemu-system-riscv64', '-M', 'virt', '-smp', str(harts), '-m', str(MEBIBYTES), '-nographic', '-monitor', 'none',
            '-serial', 'stdio', '-kernel', str(folder / 'vmlinux'), '-initrd', str(image), '-append', append]
    every = {ours: mine, 'qemu': [*qemu, '-accel', 'tcg,thread=single'], 'qemu-icount': [*qemu, '-icount', 'shift=0'],
             'qemu-threads': [*qemu, '-accel', 'tcg,thread=multi']}
    return {name: command for name, command in every.items() if name in names}


class Watch:
    """How long a process has run: its processor time, or the clock."""

    def __init__(self, process, by_clock):
        # A process's clock by its number: clock_getcpuclockid(3).
        self.clock = time.CLOCK_MONOTONIC if by_clock else (~process.pid << 3) | 2
        self.began = time.monotonic() if by_clock else 0

    def seconds(self):
        return time.clock_gettime(self.clock) - self.began


def read_lines(process):
    """The lines of its output, as they come."""
    rest, deadline = b'', time.monotonic() + DEADLINE
    while select.select([process.stdout], [], [], max(0, deadline - time.monotonic()))[0]:
        read = os.read(process.stdout.fileno(), 65536)
        if not read:
            return
        *lines, rest = (rest + read).split(b'\n')
        for line in lines:
            yield line.decode(errors='replace').strip()


def sample(command, cpus, by_clock):
    """{job: seconds} of one boot; a job that failed is not there."""
    began, taken, amounts, lost = {}, {}, {}, set()
    # pylint: disable-next=subprocess-popen-preexec-fn
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                          preexec_fn=lambda: os.sched_setaffinity(0, cpus)) as process:
        watch = Watch(process, by_clock)
        try:
            for line in read_lines(process):
                if line == 'jobs: init':
                    taken['boot'] = watch.seconds()
                if line == 'jobs: done':
                    break
                if marked := re.fullmatch(r'jobs: (\w+) (begins|ends|failed)', line):
                    name, what = marked.groups()
                    if what == 'begins':
                        began[name] = watch.seconds()
                    elif what == 'ends':
                        taken[name] = watch.seconds() - began[name]
                    else:
                        lost.add(name)
                for name, (_, said, _) in JOBS.items():
                    if said and (found := re.search(said, line)):
                        amounts[name] = amounts.get(name, 0) + int(found[1])
        finally:
            process.kill()
    for name, (_, said, amount) in JOBS.items():
        if said and name in taken:
            lost |= set() if amounts.get(name) else {name}
            taken[name] *= amount / max(amounts.get(name, 0), 1)
    return {name: value for name, value in taken.items() if name not in lost}


def measure(every, cpus, rounds):
    """{job: {emulator: [samples] or why there are none}}."""
    samples = {job: {name: [] for name in every} for job in ['boot', *JOBS]}
    for turn in range(rounds):
        names = list(every)
        for name in names[turn % len(names):] + names[:turn % len(names)]:
            by_clock = name == 'qemu-threads'
            taken = sample(every[name], os.sched_getaffinity(0) if by_clock else cpus, by_clock)
            for job, row in samples.items():
                if isinstance(row[name], list):
                    row[name] = row[name] + [taken[job]] if job in taken else 'failed'
    return samples
