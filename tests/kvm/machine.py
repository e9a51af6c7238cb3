"""The machines that tests of KVM bring with them: Bochs, whose emulated VT-x Linux's own kvm-intel drives, and QEMU without
KVM, whose emulated SVM kvm-amd drives. Either boots Debian's kernel with an initial file system and runs one command in it;
what that prints comes over the serial port, line by line, and nothing is waited for without a deadline."""

import collections
import os
import pathlib
import pty
import queue
import re
import select
import shutil
import signal
import subprocess
import threading
import time
import tty

FIRST_SIGN = 240  # seconds until the kernel says something: 15, and more where there is much else to do
ENDED = re.compile(r'^machine: ended with (\d+)')
ISOLINUX = pathlib.Path('/usr/lib/ISOLINUX/isolinux.bin')
LOADER = pathlib.Path('/usr/lib/syslinux/modules/bios/ldlinux.c32')

BOCHS = """
display_library: term
romimage: file=/usr/share/bochs/BIOS-bochs-latest
vgaromimage: file=/usr/share/vgabios/vgabios.bin
megs: {memory}
cpu: model=corei7_skylake_x, count=1, ips=100000000, reset_on_triple_fault=0
clock: sync=none
ata0: enabled=1
ata0-master: type=cdrom, path={folder}/boot.iso, status=inserted
boot: cdrom
com1: enabled=1, mode=file, dev={folder}/serial
log: {folder}/bochs.log
error: action=ignore
info: action=ignore
panic: action=fatal
"""


class Missing(Exception):
    """The machine cannot be had here; the text says why."""


class Silent(Exception):
    """What was waited for has not come; the text says what, and what was seen last."""


def need(*programs):
    """Programs, or files, that a machine is made of."""
    for program in programs:
        if not (pathlib.Path(program).exists() if '/' in str(program) else shutil.which(program)):
            raise Missing(f'{program} is not installed')


class Machine:
    """One that runs. Lines come from its serial port; `close` ends it whatever it does."""

    name = 'machine'
    words = ''  # more for the kernel's command line

    def __init__(self, folder, kernel, files, memory=512, log=None):
        self.folder, self.kernel, self.files = pathlib.Path(folder), pathlib.Path(kernel), pathlib.Path(files)
        self.line = 'console=ttyS0 quiet loglevel=4 panic=-1 mitigations=off random.trust_cpu=on cryptomgr.notests ' + self.words
        self.memory, self.log = memory, log
        self.lines, self.last = queue.Queue(), collections.deque(maxlen=60)
        self.process, self.begun = None, time.monotonic()

    def __enter__(self):
        self.folder.mkdir(parents=True, exist_ok=True)
        try:
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_):
        self.close()

    def start(self):
        raise NotImplementedError

    def take(self, read):
        """Makes lines of what `read` gives, to its end: work of a thread, so that the machine never waits for a reader."""
        rest = b''
        while True:
            try:
                part = read(65536)
            except OSError:
                part = b''
            if not part:
                break
            if self.log:
                self.log.write(part)
                self.log.flush()
            *whole, rest = (rest + part).split(b'\n')
            for line in whole:
                self.lines.put(line.decode(errors='replace').rstrip('\r'))
        self.lines.put(None)

    def next_line(self, until, what):
        """The next line; None when the machine has ended."""
        try:
            line = self.lines.get(timeout=max(0, until - time.monotonic()))
        except queue.Empty:
            raise Silent(f'{self.name}, {time.monotonic() - self.begun:.0f} seconds after its start, waits in vain for {what}; '
                         'the last that it said:\n    ' + '\n    '.join(list(self.last)[-25:]) + self.more()) from None
        if line is not None:
            self.last.append(line)
        return line

    def more(self):
        """What else to show when the machine is silent."""
        return ''

    def close(self):
        if self.process is not None and self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
        if self.process is not None:
            self.process.wait()


class Bochs(Machine):
    """VT-x with EPT, and debug registers and traps as a CPU has them. One CPU, which takes turns with its guests'."""

    name = 'Bochs'
    # The time stamp counter as it is (`ips`): by CPUID it counts 35 times as fast, and each wait would be as many times longer.
    words = 'tsc_early_khz=100000'

    @staticmethod
    def available():
        need('bochs', 'xorriso', ISOLINUX, LOADER, '/usr/share/bochs/BIOS-bochs-latest', '/usr/share/vgabios/vgabios.bin')

    def make_disc(self):
        """What it boots from: a CD. Hard links, as kernel and files are large."""
        tree = self.folder / 'disc'
        shutil.rmtree(tree, ignore_errors=True)
        (self.folder / 'boot.iso').unlink(missing_ok=True)  # an older one is written into, not over
        tree.mkdir()
        shutil.copy(ISOLINUX, tree)
        shutil.copy(LOADER, tree)
        shutil.copy(self.kernel, tree / 'kernel')
        shutil.copy(self.files, tree / 'files')
        (tree / 'isolinux.cfg').write_text(f'default all\nprompt 0\ntimeout 1\nlabel all\n kernel kernel\n append initrd=files {self.line}\n')
        subprocess.run(['xorriso', '-as', 'mkisofs', '-quiet', '-o', self.folder / 'boot.iso', '-b', 'isolinux.bin', '-c', 'boot.cat',
                        '-no-emul-boot', '-boot-load-size', '4', '-boot-info-table', tree], check=True, timeout=120,
                       stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        shutil.rmtree(tree)

    def start(self):
        self.available()
        self.make_disc()
        # A pipe: over a socket Bochs would also ask again and again whether something was typed.
        serial = self.folder / 'serial'
        serial.unlink(missing_ok=True)
        os.mkfifo(serial)
        stream = os.open(serial, os.O_RDONLY | os.O_NONBLOCK)
        os.set_blocking(stream, True)
        (self.folder / 'bochsrc').write_text(BOCHS.format(memory=self.memory, folder=self.folder))
        (self.folder / 'rc').write_text('c\n')  # for the debugger that Debian's Bochs has in front
        ours, its = pty.openpty()
        self.process = subprocess.Popen(['bochs', '-q', '-f', self.folder / 'bochsrc', '-rc', self.folder / 'rc'], stdin=its, stdout=its,
                                        stderr=its, start_new_session=True, env=dict(os.environ, TERM='linux', LINES='25', COLUMNS='80'))
        os.close(its)
        threading.Thread(target=drain, args=[ours], daemon=True).start()
        self.wait_for_writer(stream)
        self.drain_screen()
        threading.Thread(target=self.take, args=[lambda size: os.read(stream, size)], daemon=True).start()

    def wait_for_writer(self, stream):
        """Until the other end of a pipe is open and something has come: before, it would look as if it had ended."""
        until = time.monotonic() + FIRST_SIGN
        while not select.select([stream], [], [], 1)[0]:
            if self.process.poll() is not None:
                raise Silent('Bochs ended before it said anything over its serial port' + self.more())
            if time.monotonic() > until:
                raise Silent(f'Bochs said nothing over its serial port for {FIRST_SIGN} seconds')

    def drain_screen(self):
        """The guest's screen is a terminal of its own that Bochs makes. When nobody reads it, Bochs soon waits a second for
        each change of it."""
        for number in os.listdir(f'/proc/{self.process.pid}/fd'):
            try:
                if os.readlink(f'/proc/{self.process.pid}/fd/{number}').endswith('ptmx'):
                    index = re.search(r'tty-index:\s*(\d+)', pathlib.Path(f'/proc/{self.process.pid}/fdinfo/{number}').read_text())
                    screen = os.open(f'/dev/pts/{index[1]}', os.O_RDWR | os.O_NOCTTY)
                    tty.setraw(screen)
                    threading.Thread(target=drain, args=[screen], daemon=True).start()
            except (OSError, TypeError):
                continue

    def more(self):
        try:
            return '\nBochs itself said:\n' + (self.folder / 'bochs.log').read_text(errors='replace')[-1500:]
        except OSError:
            return ''


class Svm(Machine):
    """QEMU's emulation of SVM: fast, but guests inside it neither stop at int3 for their hypervisor nor have debug registers."""

    name = 'QEMU with SVM'
    cpus = 1

    @staticmethod
    def available():
        need('qemu-system-x86_64')

    def start(self):
        self.available()
        self.process = subprocess.Popen(
            ['qemu-system-x86_64', '-accel', 'tcg', '-cpu', 'max,+svm', '-smp', str(self.cpus), '-m', str(self.memory), '-nodefaults',
             '-display', 'none', '-serial', 'stdio', '-no-reboot', '-kernel', self.kernel, '-initrd', self.files, '-append', self.line],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True)
        threading.Thread(target=self.take, args=[self.process.stdout.read1], daemon=True).start()


def drain(descriptor):
    """Takes what a program shows on its terminal, so that it never waits for somebody who looks."""
    try:
        while os.read(descriptor, 65536):
            continue
    except OSError:
        pass
    os.close(descriptor)


MACHINES = {'bochs': Bochs, 'svm': Svm}
