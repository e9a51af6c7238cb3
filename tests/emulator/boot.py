#!/usr/bin/env python3
"""The emulated computer from reset to its end: OpenSBI with a small supervisor, a program without firmware, Debian's
kernel; with 1 to 8 harts, translated and interpreted, which must come to the same registers and memory after the same
number of instructions; U-Boot, and Linux from U-Boot's disk; and files that are nothing to boot.
boot.py --build FOLDER [--long]"""

import argparse
import pathlib
import random
import re
import shutil
import subprocess
import sys
import tempfile
import threading

import debian
import initrd
from console import Console, Silent

ROOT = pathlib.Path(__file__).resolve().parents[2]
GUESTS = ROOT / 'tests/emulator/guest'
U_BOOT = pathlib.Path('/usr/lib/u-boot')
FIRMWARE = '/usr/lib/riscv64-linux-gnu/opensbi/generic/fw_dynamic.bin'
DEADLINE = 200
TYPED = 'abc\r'

passed = failed = skipped = 0


def check(what, good, shown=''):
    """Counts, and shows what was seen when it is not as it should be."""
    global passed, failed
    passed += bool(good)
    failed += not good
    print(f'{"ok" if good else "FAILED"} {what}', flush=True)
    if not good and shown:
        print(shown)


class Run:
    """What the computer printed, and how it said that it ended."""

    def __init__(self, machine, *words):
        result = subprocess.run([machine, *map(str, words)], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                timeout=DEADLINE, check=False)
        self.printed = result.stdout.decode(errors='replace')
        self.said = result.stderr.decode(errors='replace')
        self.status = result.returncode

    def end(self):
        """Its kind, the number of instructions and the time; and the digest."""
        return self.said.split('\n', 1)[0], re.findall(r'^digest \w+$', self.said, re.MULTILINE)

    def shown(self):
        return self.printed[-2000:] + self.said


def both(machine, what, *words):
    """Translated and interpreted: the same. Returns the first."""
    translated = Run(machine, '--digest', 'yes', *words)
    interpreted = Run(machine, '--digest', 'yes', '--interpret', 'yes', *words)
    check(f'{what}: translated as interpreted',
          translated.printed == interpreted.printed and translated.end() == interpreted.end() and translated.end()[1],
          translated.shown() + interpreted.shown())
    return translated


def expected(harts):
    """What supervisor.c says."""
    return ['supervisor on hart 0', 'SBI version 1', f'harts started: {harts - 1}', f'calls answered: {harts - 1}',
            'timer: in time', 'cause of a load from nowhere: 13', 'cause of a breakpoint: 3',
            f'type: typed: {len(TYPED)}', 'end']


def own_lines(printed):
    """Without those of the firmware."""
    lines = printed.replace('\r', '').splitlines()
    return lines[lines.index('supervisor on hart 0'):] if 'supervisor on hart 0' in lines else lines


def firmware_and_supervisor(options):
    for harts in [1, 4, 8]:
        words = ['--harts', harts, '--any', options.supervisor, '--type', TYPED]
        run = both(options.machine, f'a supervisor with {harts} harts', *words)
        check(f'OpenSBI and a supervisor with {harts} harts', run.status == 0 and own_lines(run.printed) == expected(harts)
              and re.search(f'HART Count +: {harts}\\s', run.printed), run.shown())
        again = Run(options.machine, '--digest', 'yes', *words)
        check('the same run happens twice', (again.printed, again.end()) == (run.printed, run.end()), again.shown())


def qemu_agrees(options):
    """The supervisor says on QEMU's virt machine what it says on ours, but for the time, which is the host's there."""
    # In one thread, so that the first hart is always the one that firmware begins with.
    command = ['qemu-system-riscv64', '-M', 'virt', '-accel', 'tcg,thread=single', '-m', '256', '-smp', '2', '-nographic', '-monitor', 'none',
               '-serial', 'stdio', '-bios', FIRMWARE, '-kernel', options.supervisor]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as qemu:
        deadline = threading.Timer(60, qemu.kill)
        deadline.start()
        try:
            printed = b''
            while not printed.endswith(b'type: ') and (byte := qemu.stdout.read(1)):
                printed += byte
            if qemu.poll() is None:
                qemu.stdin.write(TYPED.encode())
                qemu.stdin.flush()
            printed += qemu.stdout.read()
        finally:
            deadline.cancel()
            qemu.kill()
    lines = [line for line in own_lines(printed.decode(errors='replace')) if not line.startswith('timer')]
    check('QEMU runs the same supervisor', lines == [line for line in expected(2) if not line.startswith('timer')],
          '\n'.join(lines))


def ends(options):
    words = ['--any', options.supervisor, '--type', TYPED * 3]
    run = both(options.machine, 'resets', *words, '--append', 'end=r', '--resets', 2)
    check('a reset begins from the beginning', run.printed.count('supervisor on hart 0') == 3 and run.end()[0].startswith('reset'),
          run.shown())
    run = Run(options.machine, *words, '--append', 'end=f')
    check('a failure is told with its code', run.end()[0].startswith('failed') and 'code 7\n' in run.said and run.status == 1,
          run.shown())
    run = Run(options.machine, *words, '--append', 'end=w')
    check('a machine that waits for ever is told', run.end()[0].startswith('waits for ever'), run.shown())
    run = both(options.machine, 'a program without firmware', '--harts', 3, '--program', options.bare)
    check('a program without firmware', run.status == 0 and run.printed == 'bare metal\n', run.shown())


def garbage(options):
    """Nothing that a guest does harms the host: random bytes as a supervisor, and as firmware."""
    chance = random.Random(4)
    path = options.folder / 'garbage'
    for number in range(6):
        path.write_bytes(chance.randbytes(1 << 16))
        kind = ['--any', path] if number % 2 == 0 else ['--firmware', path]
        run = both(options.machine, f'garbage {number}', '--harts', 2, '--memory', 32, *kind, '--begun', 20000000)
        check(f'garbage {number} ends orderly', run.status in (0, 1), run.shown())


def refused(options, what, words, reason):
    run = Run(options.machine, *words)
    check(f'refused: {what}', run.status == 2 and reason in run.said and run.said.count('\n') == 1, run.shown())


def bad_input(options):
    text, large = options.folder / 'text', options.folder / 'large'
    text.write_text('This is no kernel.\n' * 100)
    with open(large, 'wb') as file:
        file.truncate(300 << 20)
    supervisor = ['--any', options.supervisor]
    refused(options, 'a text as a kernel', ['--kernel', text], 'is no kernel')
    refused(options, 'a kernel larger than memory', ['--any', large], 'give it more memory')
    refused(options, 'an initial file system larger than memory', [*supervisor, '--initrd', large], 'memory')
    refused(options, 'a kernel that is not there', ['--kernel', '/nonexistent'], '/nonexistent cannot be opened')
    refused(options, 'a folder as firmware', ['--firmware', '/'], '/ is no file')
    refused(options, 'a program of this machine', ['--program', options.machine], 'not for 64-bit RISC-V')
    refused(options, 'no harts', ['--harts', 0, *supervisor], '1 to 8 harts')
    refused(options, 'nine harts', ['--harts', 9, *supervisor], '1 to 8 harts')
    refused(options, 'hardly any memory', ['--memory', 1, *supervisor], 'memory')
    refused(options, 'an endless command line', [*supervisor, '--append', 'x' * 70000], 'command line')


def u_boot_prompt(options, what, words, disk):
    """U-Boot comes to its prompt, answers, and switches the machine off. With a disk Linux and its init come from there."""
    command = [options.trapline, '-q', '-ex', 'continue', 'emu', '--memory', '256M', *words, *(['--disk', disk] if disk else [])]
    with Console(command) as console:
        try:
            console.expect('Hit any key to stop autoboot', DEADLINE)
            console.type('\r')
            console.expect('=> ', DEADLINE)
            console.type('version\r')
            said = console.expect('=> ', DEADLINE)
            check(f'{what}: at its prompt', re.search(r'U-Boot 20\d\d\.\d\d', said), said)
            if disk:
                console.type('load virtio 0 $kernel_addr_r vmlinux; load virtio 0 $ramdisk_addr_r initrd; '
                             'setenv bootargs console=ttyS0; booti $kernel_addr_r $ramdisk_addr_r:$filesize $fdtcontroladdr\r')
                said = console.expect('init: done', DEADLINE)
                check(f'{what}: Linux from its disk', re.search(r'init: Linux \S+-riscv64 riscv64, process 1', said), said)
            else:
                console.type('poweroff\r')
            console.expect('exited normally', DEADLINE)
            check(f'{what}: to the end', True)
        except Silent as why:
            check(f'{what}: to the end', False, str(why))


def u_boot(options, folder):
    """As firmware, and behind OpenSBI; there with a disk that holds a kernel, if there is one."""
    disk = None
    if folder is not None:
        disk, root = options.folder / 'disk', options.folder / 'root'
        root.mkdir()
        shutil.copy(folder / 'vmlinux', root / 'vmlinux')
        shutil.copy(options.folder / 'initrd', root / 'initrd')
        subprocess.run(['mke2fs', '-q', '-t', 'ext4', '-d', root, disk, '64m'], stdout=subprocess.DEVNULL, check=True, timeout=60)
    u_boot_prompt(options, 'U-Boot as firmware', ['--firmware', U_BOOT / 'qemu-riscv64/u-boot.bin'], None)
    u_boot_prompt(options, 'U-Boot behind OpenSBI', ['--kernel', U_BOOT / 'qemu-riscv64_smode/uboot.elf'], disk)


def kernel(options, counts, executors):
    folder = debian.kernel(options.kernel)
    init = initrd.compile_program(GUESTS / 'init.c', options.folder / 'init').read_bytes()
    files = initrd.make(options.folder / 'initrd', {'init': init})
    for harts in counts:
        words = ['--harts', harts, '--kernel', folder / 'vmlinux', '--initrd', files, '--append', 'console=ttyS0', '--digest', 'yes']
        runs = [Run(options.machine, *words, *more) for more in executors]
        said = [line for line in runs[0].printed.replace('\r', '').splitlines() if not line.startswith('[')]
        processors = ' '.join(str(number) for number in range(harts))
        check(f"Debian's kernel and its init with {harts} harts",
              runs[0].status == 0 and re.search(r'init: Linux \S+-riscv64 riscv64, process 1\n', '\n'.join(said)) and
              said[-4:] == [f'processors: {processors}', 'child: 74', 'slept', 'init: done'] and
              'reboot: Power down' in runs[0].printed, runs[0].shown())
        check(f'the same run happens {len(runs)} times', all((run.printed, run.end()) == (runs[0].printed, runs[0].end()) for run in runs),
              ''.join(run.shown() for run in runs))
        print(*(run.said.splitlines()[2] for run in runs), sep='\n')
    return folder


def parse_arguments(folder):
    parser = argparse.ArgumentParser(description=__doc__.split('\n\n')[0])
    parser.add_argument('--build', default='build')
    parser.add_argument('--kernel', help='a folder as debian.py makes it (default: the one of all builds)')
    parser.add_argument('--long', action='store_true', help="Debian's kernel with 8 harts and by the interpreter as well")
    options = parser.parse_args()
    build = pathlib.Path(options.build).resolve()
    options.folder = folder
    options.machine = build / 'tests/emulator/boot-machine'
    options.trapline = build / 'trapline'
    options.supervisor = initrd.compile_program(GUESTS / 'supervisor.c', folder / 'supervisor', 0x80200000)
    options.bare = initrd.compile_program(GUESTS / 'bare_metal.c', folder / 'bare', 0x80000000)
    return options


def main():
    global skipped
    folder = pathlib.Path(tempfile.mkdtemp(prefix='trapline-boot-'))
    try:
        options = parse_arguments(folder)
        for scenario in [firmware_and_supervisor, qemu_agrees, ends, garbage, bad_input]:
            scenario(options)
        there = None
        try:
            executors = [[], [], ['--interpret', 'yes']] if options.long else [[], []]
            there = kernel(options, [1, 4, 8] if options.long else [1, 4], executors)
        except debian.Missing as why:
            if options.long:
                check("Debian's kernel", False, str(why))
            else:
                print(f"skipped Debian's kernel: {why}")
                skipped += 1
        u_boot(options, there)
    except subprocess.TimeoutExpired as slow:
        check(f'{slow.cmd} in {slow.timeout} s', False, (slow.stdout or b'').decode(errors='replace')[-2000:])
    finally:
        shutil.rmtree(folder)
    print(f'{passed} passed, {failed} failed, {skipped} skipped')
    return failed != 0


if __name__ == '__main__':
    sys.exit(main())
