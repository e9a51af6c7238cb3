#!/usr/bin/env python3
"""What is no kernel, no disk and no machine, and guests that go wrong: `trapline emu` says what is the matter, and lives.

    bad_input.py TRAPLINE GUESTS

GUESTS is tests/emulator/guest. Files that are wrong are made here, byte by byte; guests that go wrong are compiled.
"""

import gzip
import os
import pathlib
import resource
import shutil
import signal
import struct
import subprocess
import sys
import tempfile

COMPILER = 'riscv64-unknown-elf-gcc'
FLAGS = ['-O1', '-ffreestanding', '-nostdlib', '-march=rv64gc', '-mabi=lp64d', '-mcmodel=medany',
         '-Wl,--no-warn-rwx-segments']
MEMORY = 0x80000000
DEADLINE = 60

passed = failed = 0


def check(what, good, shown):
    """Counts, and shows what was seen when it is not as it should be."""
    global passed, failed
    passed += bool(good)
    failed += not good
    if not good:
        print(f'FAILED {what}\n{shown}')


class Machine:
    def __init__(self, trapline, folder):
        self.trapline, self.folder = trapline, folder

    def run(self, words, commands=(), prepare=None):
        """Its exit status, and what it printed."""
        chosen = [word for command in commands for word in ('-ex', command)]
        result = subprocess.run([self.trapline, '-nx', '-q', '--batch', *chosen, 'emu', *map(str, words)], cwd=self.folder,
                                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                timeout=DEADLINE, check=False, preexec_fn=prepare)
        return result.returncode, result.stdout.decode(errors='replace')

    def refused(self, words, reason):
        """One sentence with the reason, no machine, and the status of a failure."""
        status, text = self.run(words)
        lines = text.strip().split('\n')
        good = status in (1, 2) and reason in text and 'Thread' not in text and len(lines) <= 2
        check(f'refused: {" ".join(map(str, words))[:100]}', good, f'status {status}, wanted {reason!r} in:\n{text}')

    def file(self, name, content):
        path = self.folder / name
        path.write_bytes(content)
        return name


def elf(segments, entry=MEMORY, machine=243, wide=2, cut=None):
    """An ELF file; segments are (address, size in the file, size in memory[, offset])."""
    head, row = 64, 56
    data = head + row * len(segments)
    made = b'\177ELF' + bytes([wide, 1, 1]) + bytes(9)
    made += struct.pack('<HHIQQQIHHHHHH', 2, machine, 1, entry, head, 0, 0, head, row, len(segments), 0, 0, 0)
    for segment in segments:
        address, size, memory_size = segment[:3]
        offset = segment[3] if len(segment) > 3 else data
        made += struct.pack('<IIQQQQQQ', 1, 7, offset, address, address, size, memory_size, 1)
    made += bytes.fromhex('6f000000') * 64  # jal x0, 0
    return made[:cut]


def image(size=4096, memory_size=None, flags=0):
    """A Linux Image for RISC-V that does nothing."""
    head = struct.pack('<IIQQQIIQQ4s4s', 0x6f, 0, 0x200000, memory_size or size, flags, 2, 0, 0, 0, b'RSC\5', b'')
    return head.ljust(size, b'\0')


def programs(machine):
    good = (MEMORY, 16, 16)
    machine.refused([machine.file('text', b'This is no program.\n' * 50)], 'no ELF file')
    machine.refused([machine.file('empty', b'')], 'empty is empty')
    machine.refused(['/'], '/ is no file: it is a directory')
    machine.refused(['nothing'], 'nothing')
    machine.refused(['/dev/zero'], 'no file')
    machine.refused([machine.file('x86', elf([good], machine=62))], 'not for 64-bit RISC-V: build it with')
    machine.refused([machine.file('rv32', elf([good], wide=1))], 'rv32')
    for cut in (5, 20, 63, 70, 119):
        machine.refused([machine.file(f'cut-{cut}', elf([good], cut=cut))], f'cut-{cut} is a damaged ELF file, or was cut off')
    machine.refused([machine.file('short', elf([(MEMORY, 4096, 4096)]))], 'ends before one of its segments')
    machine.refused([machine.file('low', elf([(MEMORY - 4096, 16, 8192)]))], 'memory begins at 0x80000000: link it')
    machine.refused([machine.file('nowhere-low', elf([(0, 16, 16)], entry=0))], 'memory begins at 0x80000000')
    machine.refused([machine.file('high', elf([(MEMORY + (1 << 32), 16, 16)], entry=MEMORY + (1 << 32)))],
                    'give it more memory')
    machine.refused([machine.file('over', elf([(MEMORY, 16, 1 << 30)]))], 'give it more memory')
    machine.refused([machine.file('huge', elf([(MEMORY, 16, 1 << 60)]))], 'the file is damaged')
    machine.refused([machine.file('round', elf([((1 << 64) - 8, 16, 16)]))], 'give it more memory')
    machine.refused([machine.file('overlap', elf([good, (MEMORY + 8, 16, 16)]))], 'another part was loaded already')
    machine.refused([machine.file('tree', elf([(MEMORY + (126 << 20), 16, 16), good]))], 'where the device tree is')
    machine.refused([machine.file('many', elf([(MEMORY + 64 * i, 16, 16) for i in range(33)]))], 'too many parts')
    machine.refused([machine.file('none', elf([]))], 'nothing that could be loaded')
    machine.refused([machine.file('no-entry', elf([good], entry=0))], 'begins at 0x0, where it loads nothing')
    machine.refused([machine.file('beyond', elf([(MEMORY, 16, 16, 1 << 63)]))], 'ends before one of its segments')


def kernels(machine):
    for name in ('text', 'empty', 'nothing', '/', 'x86', 'cut-70', 'short', 'high'):
        machine.refused(['--kernel', name], name)
    machine.refused(['--kernel', 'text'], 'text is no kernel')
    machine.refused(['--kernel', machine.file('big-endian', image(flags=1))], 'big-endian')
    machine.refused(['--kernel', machine.file('wants-all', image(memory_size=1 << 40))], 'says that it needs')
    machine.refused(['--kernel', machine.file('large', image(memory_size=200 << 20))], 'give it more memory')
    machine.refused(['--kernel', machine.file('gzip', gzip.compress(image())[:40])], 'gzip packed is damaged')
    machine.refused(['--kernel', machine.file('zstd', b'\x28\xb5\x2f\xfd' + bytes(60))], 'zstd packed is damaged')
    machine.refused(['--kernel', machine.file('zboot', b'MZ\0\0zimg' + struct.pack('<II', 4096, 1 << 20) + bytes(64))],
                    'ends before the kernel that it holds')
    kernel = machine.file('kernel', image())
    with open(machine.folder / 'sparse', 'wb') as file:
        file.truncate(300 << 20)
    machine.refused(['--kernel', kernel, '--initrd', 'sparse'], 'give the machine more memory')
    machine.refused(['--kernel', kernel, '--initrd', 'empty'], 'empty is empty')
    machine.refused(['--kernel', kernel, '--initrd', 'nothing'], 'nothing')
    machine.refused(['--kernel', kernel, '--append', 'x' * 70000], 'command line is too long')
    machine.refused(['--kernel', kernel, '--firmware', 'empty'], 'empty is empty')
    machine.refused(['--kernel', kernel, '--firmware', 'sparse'], 'give it more memory')
    machine.refused([], 'nothing to run')


def machines(machine):
    program = machine.file('good', elf([(MEMORY, 16, 16)]))
    for harts in ('0', '9', '-1', 'x', '1x', '4294967297'):
        machine.refused(['--harts', harts, program], '--harts wants a number from 1 to 8')
    for size in ('0', '-5M', 'x', '1T', '99999999999999999999', '12Q', ''):
        machine.refused(['--memory', size, program], '--memory wants a size')
    for size in ('1K', '1M', '8M', '16385K', '1000G'):
        machine.refused(['--memory', size, program], 'from 16 MiB to 256 GiB')
    machine.refused(['--disk', 'nothing', program], 'cannot open the disk nothing')
    machine.refused(['--disk', '/', program], '/ is no file')
    machine.refused(['--disk', 'empty', program], 'truncate -s 1G empty')
    machine.refused(['--disk', 'text,write', program], 'text')
    machine.refused(['--disk', 'good', '--disk', 'good', '--disk', 'good', '--disk', 'good', '--disk', 'good', program],
                    '--disk')
    machine.refused(['--seed', 'xyz', program], 'seed')
    machine.refused(['--forward', 'tcp::99999-:22', program], '99999')
    machine.refused(['--nothing', program], '--nothing')
    machine.refused([program, 'more'], 'one too many')


def compile_guest(machine, name, *sources):
    made = machine.folder / name
    subprocess.run([COMPILER, *FLAGS, '-o', made, *sources], check=True)
    return made


def guests_that_go_wrong(machine):
    """Into nowhere, with no handler; and with page tables that are none. The debugger can look around in each."""
    lost = machine.folder / 'lost.s'
    lost.write_text('.globl _start\n_start: li t0, 0x40000000\n jr t0\n')
    tables = machine.folder / 'tables.s'
    tables.write_text('''
.globl _start
_start: li t0, -1
 csrw pmpaddr0, t0
 li t0, 0x1f
 csrw pmpcfg0, t0
 li t0, 0x8000055555555555
 csrw satp, t0
 li t0, 0x800
 csrs mstatus, t0
 la t0, 1f
 csrw mepc, t0
 mret
1: j 1b
''')
    for source, options in ((lost, []), (lost, ['--interpreter']), (lost, ['--harts', '2']), (lost, ['--no-history']),
                            (tables, []), (tables, ['--interpreter'])):
        program = compile_guest(machine, source.stem, '-Wl,-n,-Ttext=0x80000000', source)
        status, text = machine.run([*options, program], [
            'continue', 'info registers pc', 'monitor reset', 'monitor catch 0 1 2 3 4 5 6 7 12 13 15', 'continue',
            'info registers pc'])
        what = f'{source.stem} {" ".join(options)}'
        check(f'{what}: the user is told', 'Hart 0 is lost: it traps (cause 1) at the first instruction of its own trap '
              'handler, 0x0 (mtvec)' in text and text.count('SIGSEGV') >= 2, text)
        first = '0x40000000' if source is lost else '0x8000'
        check(f'{what}: its first trap can be looked at', first in text.split('pc ')[-1] and status == 0, text)


def disks_that_fail(machine, guests):
    start = guests.parent
    program = compile_guest(machine, 'disk', '-g', '-T', start / 'bare.ld', start / 'bare_start.S', guests / 'disk.c')
    disk = machine.folder / 'vanishing'
    size = 2048 * 512
    commands = ['break between', 'continue', 'shell truncate -s 1024 vanishing', 'continue']
    for mode in ('', ',write', ',readonly'):
        disk.write_bytes(bytes(range(256)) * (size // 256))
        status, text = machine.run(['--disk', f'vanishing{mode}', program], commands)
        check(f'a disk that is cut off, {mode}: the guest goes on', 'first read: good' in text and
              'second read: failed' in text and 'read behind the end: failed' in text and 'exited normally' in text
              and status == 0, text)
        check(f'a disk that is cut off, {mode}: the user is told', 'Disk 0 fails: the disk vanishing ends at byte' in text
              and 'somebody cut it off' in text, text)

    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000 * 512, 1000 * 512))

    disk.write_bytes(bytes(size))
    status, text = machine.run(['--disk', 'vanishing,write', program], ['continue'], limit)
    check('a full disk of the host', 'write: good' in text and 'write at the end: failed' in text and
          'cannot write the disk vanishing' in text and 'are interpreted' in text and 'exited normally' in text and status == 0, text)
    status, text = machine.run(['--disk', 'vanishing', program], ['break between', 'continue', 'shell rm vanishing',
                                                                  'continue'])
    check('a disk that is removed lives on until it is closed', 'second read: good' in text and 'Disk 0 fails' not in text
          and status == 0, text)


def main():
    trapline, guests = sys.argv[1], pathlib.Path(sys.argv[2])
    signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
    with tempfile.TemporaryDirectory() as folder:
        machine = Machine(os.path.abspath(trapline), pathlib.Path(folder))
        programs(machine)
        kernels(machine)
        machines(machine)
        if shutil.which(COMPILER) is not None:
            guests_that_go_wrong(machine)
            disks_that_fail(machine, guests.resolve())
        else:
            print(f'no {COMPILER}: guests are left out; make setup installs it')
    print(f'{passed} passed, {failed} failed')
    return failed != 0


if __name__ == '__main__':
    sys.exit(main())
