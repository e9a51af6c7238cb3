"""The virtual machine's part of the bench: `trapline kvm` beside qemu-system-x86_64 under one and the same KVM. Both run in
the machine that tests of KVM bring with them (tests/kvm/machine.py), so only ratios mean anything; kvm_inside.py takes the
samples there. What needs breakpoints runs in Bochs, all else in QEMU's emulation of SVM."""

import pathlib
import shutil
import sys
import time

from table import OURS, Aim

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / 'tests/kvm')]

import image  # noqa: E402
import machine  # noqa: E402

QEMU, CLIENT = 'qemu', 'client'
WHAT = {'kvm-boot': ('s', 'boot Linux to its first process, two processors'), 'kvm-stop': ('ms', 'stop two processors and resume them'),
        'kvm-step': ('ms', 'one step'), 'kvm-read': ('ms', 'read 1 MiB of memory, in hex'),
        'kvm-condition': ('ms', 'a breakpoint whose condition is false, one hit; the client is asked, or the server knows')}
ROWS = list(WHAT)
AIMS = {'kvm-condition': Aim(1 / 10, CLIENT)}
# What QEMU reads beside its program, of the packages that it depends on.
FIRMWARE = ('/usr/share/seabios/bios-256k.bin', '/usr/share/qemu/linuxboot_dma.bin', '/usr/share/qemu/kvmvapic.bin')
SECONDS = 1800


def common(folder, build):
    """{place in the machine: bytes} of what both parts have."""
    files = image.with_libraries(build / 'trapline', 'trapline', folder)
    files.update(image.python(['kvm_inside'], [ROOT / 'tests/conformance', ROOT / 'bench'], folder))
    return files


def guest_linux(folder):
    files = {'guests/linux': image.kernel(folder).read_bytes(), 'guests/linux.files': image.guest_files(folder).read_bytes()}
    files.update(image.with_libraries(shutil.which('qemu-system-x86_64'), 'usr/bin/qemu-system-x86_64', folder))
    files.update({path.lstrip('/'): pathlib.Path(path).read_bytes() for path in FIRMWARE})
    return files


def samples_of(kind, folder, name, files, words):
    """{row: {who: [samples]}} of a run in a machine of its own; and why there are no more, if there are not."""
    place = folder / f'bench-{name}'
    place.mkdir(parents=True, exist_ok=True)
    image.make(place / 'files', folder, files | {'command': '\n'.join(words).encode()})
    found, until = {}, time.monotonic() + SECONDS
    with machine.MACHINES[kind](place, image.kernel(folder), place / 'files', memory=1024 + 3 * ((place / 'files').stat().st_size >> 20)) as guest:
        while (line := guest.next_line(until, 'samples')) is not None:
            words = line.split()
            if words[:1] == ['sample']:
                found.setdefault(words[1], {}).setdefault(words[2], []).append(float(words[3]))
            elif words[:1] == ['silent']:
                print(f'virtual machines, {name}: {words[1]} did not answer a packet within a minute, and was ended', file=sys.stderr)
            elif line.startswith('bench: all'):
                return found, None
    return found, 'the run ended early: ' + ' / '.join(list(guest.last)[-4:])


def measure(options):
    """(rows, names), as the tables want them; none where the machines cannot be had."""
    build = pathlib.Path(options.build).resolve()
    folder, rounds = build / 'kvm-machine', 1 if options.quick else options.kernel_rounds
    rows, interpreter = {}, ['/usr/bin/python3', '-S', '-E', '/tests/kvm_inside.pyc']
    try:
        folder.mkdir(exist_ok=True)
        files = common(folder, build)
        parts = [('svm', 'linux', files | guest_linux(folder)),
                 ('bochs', 'crowd', files | {'guests/crowd': (build / 'tests/kvm/crowd').read_bytes()})]
        for kind, name, all_files in parts:
            if options.rows and not any((row == 'kvm-condition') == (name == 'crowd') for row in options.rows.split(',') if row in ROWS):
                continue
            found, why = samples_of(kind, folder, name, all_files, [*interpreter, name, '/trapline', '/guests', str(rounds)])
            if why is not None:
                print(f'virtual machines, {name}: {why}', file=sys.stderr)
            for row, servers in found.items():
                unit, what = WHAT[row]
                scale = 1000 if unit == 'ms' else 1
                rows[row] = {'unit': unit, 'what': what, 'servers': {who: [scale * value for value in values] for who, values in servers.items()}}
    except (image.Missing, machine.Missing, machine.Silent, OSError, TypeError) as why:
        print(f'virtual machines: left out: {why}', file=sys.stderr)
    return rows, [QEMU, CLIENT, OURS]
