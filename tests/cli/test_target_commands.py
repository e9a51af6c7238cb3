#!/usr/bin/env python3
"""What is debugged is changed from the prompt: stubs, core dumps and processes in one session, whose points, settings, history
and displays stay; stubs that leave, lie and linger."""

import os
import pty
import re
import select
import shutil
import signal
import socket
import subprocess
import sys
import threading
import tty

from harness import BUILD, DEADLINE, PROMPT, TRAPLINE, Failure, equal, holds, main

PROGRAM = BUILD / 'tests/cli/cli-targets'
MACHINE = BUILD / 'tests/cli/cli-targets-machine'
OWN = f'| exec {TRAPLINE} --serve - {PROGRAM} 2>/dev/null'
MULTI = f'| exec {TRAPLINE} --serve - --multi 2>/dev/null'
QEMU = '| exec qemu-system-x86_64 -display none -serial none -monitor none -nodefaults -no-reboot -m 16 -S -gdb stdio 2>/dev/null'


def commands(place, *lines, arguments=(PROGRAM,)):
    """What each command printed, errors among it, in a list; one more for what came before."""
    text = ''.join(f'echo <<{number}>>\\n\n{line}\n' for number, line in enumerate(lines))
    done = subprocess.run([TRAPLINE, '-q', '-nx', '-ex', 'set width 0', *map(str, arguments)], input=text, text=True, cwd=place.home,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, errors='replace', timeout=3 * DEADLINE,
                          env={**os.environ, 'HOME': str(place.home)})
    equal(done.returncode, 0, done.stdout)
    parts = re.split(r'(?:\(trapline\) )?<<\d+>>\n', done.stdout)
    equal(len(parts), len(lines) + 1, done.stdout)
    parts[-1] = parts[-1].split('A debugging session is active.')[0]
    return [part.replace('(trapline) ', '') for part in parts]


def stubs():
    yield OWN, MULTI
    if shutil.which('gdbserver'):
        yield f'| exec gdbserver --once - {PROGRAM} 2>/dev/null', '| exec gdbserver --multi - 2>/dev/null'


def test_one_session_over_several_targets(place):
    core = place.home / 'core'
    for stub, _ in stubs():
        said = commands(place, 'break add', 'set var $kept = 7', 'run', 'print b', 'display a', f'gcore {core}', 'kill',
                        f'target remote {stub}', 'continue', 'print $ + $kept', 'disconnect', 'info breakpoints',
                        f'target core {core}', 'print a', 'run', 'bt 1', 'kill', 'info display', 'print $$1')
        holds(said[8], 'Remote debugging using | exec')
        holds(said[9], 'Breakpoint 1, add (a=0, b=0)')
        holds(said[9], '1: a = 0')
        equal(said[10], '$2 = 7\n')
        equal(said[11], 'Ending remote debugging.\n')
        holds(said[12], 'in add at')
        holds(said[12], 'already hit 2 times')
        holds(said[13], '#0  add (a=0, b=0)')
        equal(said[14], '$3 = 0\n')
        holds(said[15], 'Breakpoint 1, add (a=0, b=0)')
        holds(said[15], '1: a = 0')
        holds(said[18], '1:   y  a')
        equal(said[19], '$4 = 7\n')


def test_an_extended_stub_starts_programs(place):
    for _, stub in stubs():
        said = commands(place, f'target extended-remote {stub}', 'info threads', 'break main', 'run', 'bt', 'kill', 'run',
                        'delete', 'continue', 'info threads', f'set remote exec-file {PROGRAM}', 'show remote exec-file',
                        'file', 'starti', 'kill', 'set remote exec-file /nowhere', 'run', 'disconnect', 'disconnect')
        equal(said[2], 'No threads.\n')
        holds(said[4], 'Breakpoint 1, main () at')
        holds(said[6], 'killed]')
        holds(said[7], 'Breakpoint 1, main () at')
        holds(said[9], 'exited normally]')
        equal(said[12], f'The remote exec-file is "{PROGRAM}".\n')
        holds(said[14], 'Program stopped.')
        holds(said[17], 'cannot start the program')
        equal(said[18], 'Ending remote debugging.\n')
        equal(said[19], "You can't do that when your target is `None'\n")


def test_an_extended_stub_attaches(place):
    for _, stub in stubs():
        victim = subprocess.Popen(['sleep', '1000'])
        try:
            said = commands(place, f'target extended-remote {stub}', f'attach {victim.pid}', 'info threads', 'detach',
                            'attach 999999999', arguments=())
            holds(said[3], f'{victim.pid}')
            holds(said[4], 'detached]')
            holds(said[5], 'cannot attach')
            equal(victim.poll(), None)
        finally:
            victim.kill()
            victim.wait()


def test_a_stub_s_own_words(place):
    said = commands(place, 'monitor help', 'maintenance packet qC', f'target remote {OWN}', 'monitor help',
                    'maint packet qC', 'maint packet nonsense', 'maint packet', 'flushregs', 'mt flush register-cache', 'stepi',
                    'run', 'set debug remote 1', 'stepi', 'set debug remote 0', 'load', 'detach', 'info threads')
    equal(said[1], '"monitor" command not supported by this target.\n')
    equal(said[2], 'command can only be used with remote target\n')
    holds(said[4], 'help')
    holds(said[5], 'sending: qC\nreceived: "QCp')
    equal(said[6], 'sending: nonsense\nreceived: ""\n')
    equal(said[8] + said[9], 'Register cache flushed.\n' * 2)
    holds(said[11], 'The "remote" target does not support "run".')
    holds(said[13], 'stub <-')
    holds(said[16], 'Ending remote debugging.')
    holds(said[17], 'No threads.')


def test_what_cannot_be_connected_to(place):
    said = commands(place, 'break main', 'set tcp auto-retry off', 'target remote :1', 'target remote', 'target extended-remote nowhere',
                    'target remote | exit 1', 'target remote | echo hello', 'set remotetimeout 1', 'target remote | cat',
                    'target remote | yes', 'target remote | sleep 1000', 'target remote /dev/null', 'target core /nowhere',
                    f'target core {PROGRAM}', 'core-file', 'target', 'target nonsense', 'set serial baud 7', 'set remotetimeout 0',
                    'show remotetimeout', 'run')
    holds(said[3], 'Connection refused')
    holds(said[4], 'To open a remote debug connection')
    holds(said[5], 'is not an address')
    holds(said[6], 'closed the connection')
    holds(said[7], 'closed the connection')
    for part in said[9:13] + said[13:15] + said[16:20]:
        equal(len(part.splitlines()) > 0, True, said)
    holds(said[20], 'is 1.')
    holds(said[21], 'Breakpoint 1, main () at')


def test_a_stub_that_is_started_late_is_waited_for(place):
    path = place.home / 'late'
    terminal = place.terminal('-q', '-nx', PROGRAM)
    terminal.prompt()
    terminal.type(f'target remote unix:{path}\n')
    terminal.wait_for('target remote unix:')
    server = subprocess.Popen([TRAPLINE, '--serve', f'unix:{path}', '--once', PROGRAM], stdin=subprocess.DEVNULL,
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        terminal.wait_for('Remote debugging using')
        terminal.prompt()
        # And one that never comes is given up with ^C.
        terminal.type('disconnect\n')
        terminal.wait_for('Ending remote debugging.')
        server.wait(DEADLINE)
        terminal.type('target remote :1\n')
        terminal.wait_for('target remote :1')
        terminal.type('\x03')
        terminal.prompt()
    finally:
        server.kill()
        server.wait()


def test_a_stub_that_dies_leaves_a_usable_session(place):
    for while_it_runs in (False, True):
        path = place.home / f'stub-{while_it_runs}'

        def serve():
            server = subprocess.Popen([TRAPLINE, '--serve', f'unix:{path}', '--on-disconnect', 'kill', PROGRAM],
                                      stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
            for line in server.stderr:
                if 'Listening' in line:
                    return server
            raise Failure('the server does not listen')

        server = serve()
        try:
            terminal = place.terminal('-q', '-nx', 'connect', f'unix:{path}', PROGRAM)
            terminal.prompt()
            terminal.command('tbreak main')
            terminal.command('break descend')
            terminal.command('continue')
            if while_it_runs:
                terminal.command('set var what = SPIN')
                terminal.type('continue\n')
                terminal.wait_for('Continuing.')
                os.kill(server.pid, signal.SIGKILL)
            else:
                terminal.type('echo half a li')
                terminal.wait_for('half a li')
                os.kill(server.pid, signal.SIGKILL)
            terminal.wait_for(lambda screen: '" connects again.' in screen.whole())
            terminal.wait_line(PROMPT if while_it_runs else PROMPT + 'echo half a li')
            holds(terminal.screen.whole(), '\nRemote connection closed: ')
            terminal.type('\x15')
            terminal.prompt()
            holds(terminal.command('bt'), 'No stack.')
            server.wait()
            server.stderr.close()
            server = serve()
            holds(terminal.command(f'target remote unix:{path}'), 'Remote debugging using')
            holds(terminal.command('continue'), 'Breakpoint 2, descend (depth=5)')
        finally:
            server.kill()
            server.wait()
            server.stderr.close()


class Liar:
    """A stub that answers as it is told to: a dictionary of packets, and functions for what comes else."""

    def __init__(self, path, answers):
        self.answers, self.log = answers, []
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(str(path))
        self.listener.listen(1)
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    @staticmethod
    def frame(text):
        data = text.encode('latin-1')
        return b'$' + data + b'#%02x' % (sum(data) & 255)

    def run(self):
        line, _ = self.listener.accept()
        data = b''
        while True:
            try:
                more = line.recv(65536)
            except OSError:
                return
            if not more:
                return
            data += more
            while (found := re.search(rb'\$([^#]*)#..', data, re.S)) or data[:1] in (b'+', b'-', b'\x03'):
                if data[:1] in (b'+', b'-', b'\x03'):
                    data = data[1:]
                    continue
                data = data[found.end():]
                packet = found[1].decode('latin-1')
                self.log.append(packet)
                answer = next((self.answers[key] for key in sorted(self.answers, key=len, reverse=True)
                               if packet.startswith(key)), '')
                try:
                    line.sendall(b'+' + (b'' if answer is None else self.frame(answer)))
                except OSError:
                    return


PLAIN = {'?': 'S05', 'g': '0' * 328, 'm': '00' * 4, 'qSupported': 'PacketSize=1000', 's': 'S05', 'c': 'S05', 'M': 'OK', 'G': 'OK',
         'H': 'OK', 'P': 'OK', 'z': '', 'Z': ''}


def test_liars_are_told_from_stubs(place):
    lies = {'garbage': {'g': 'xyzzy'}, 'short': {'g': '00'}, 'error': {'g': 'E01', 'm': 'E01'}, 'silence': {'g': None},
            'long': {'?': 'T05' + 'thread:1;' * 1000}, 'stop': {'s': 'Tzz', 'c': 'hello'}, 'description': {
                'qSupported': 'PacketSize=1000;qXfer:features:read+', 'qXfer:features:read:target.xml': 'l<target><reg name="rip"'}}
    for name, lie in lies.items():
        Liar(place.home / name, {**PLAIN, **lie})
        said = commands(place, 'set remotetimeout 1', f'target remote unix:{place.home / name}', 'stepi', 'x/i $pc', 'continue', 'bt',
                        'info threads', 'break main', 'continue', 'disconnect', 'print 1 + 1')
        equal(said[-1], '$1 = 2\n', name)


def test_flash_is_erased_and_written(place):
    description = ('l<memory-map><memory type="ram" start="0" length="0x1000"/><memory type="flash" start="0x400000" '
                   'length="0x10000"><property name="blocksize">0x100</property></memory></memory-map>')
    stub = Liar(place.home / 'flash', {**PLAIN, 'qSupported': 'PacketSize=1000;qXfer:memory-map:read+',
                                       'qXfer:memory-map:read::': description, 'vFlash': 'OK'})
    said = commands(place, f'target remote unix:{place.home / "flash"}', 'load', 'print $pc', arguments=(MACHINE,))
    holds(said[2], 'Loading section .text, size 0x')
    holds(said[2], 'Transfer rate: ')
    start = re.search(r'Start address (0x[0-9a-f]+), load size (\d+)', said[2])
    flash = [packet for packet in stub.log if packet.startswith('vFlash')]
    erased = [int(packet.split(':')[1].split(',')[0], 16) for packet in flash if packet.startswith('vFlashErase')]
    equal(erased[0], 0x400000)
    equal(len(set(erased)), len(erased))
    equal(flash[-1], 'vFlashDone')
    kinds = [packet[:8] for packet in flash]
    equal(kinds, sorted(kinds, key=['vFlashEr', 'vFlashWr', 'vFlashDo'].index))
    data = [packet.split(':', 2)[2] for packet in flash if packet.startswith('vFlashWrite')]
    equal(sum(len(re.sub('}.', 'x', part, flags=re.S)) for part in data), int(start[2]))
    equal(any(packet.startswith(('M', 'X')) for packet in stub.log), False)


def test_a_map_of_flash_that_cannot_be_is_refused(place):
    """As many blocks as there are numbers: nobody keeps a bit for each."""
    for size, block in (('0xffffffffffffffff', '2'), ('0xffffffffffffffff', '0xffffffff'), ('0', '1'), ('0x1000', '0')):
        description = f'l<memory-map><memory type="flash" start="0" length="{size}"><property name="blocksize">{block}</property></memory></memory-map>'
        stub = Liar(place.home / f'map-{size}-{block}', {**PLAIN, 'qSupported': 'PacketSize=1000;qXfer:memory-map:read+',
                                                         'qXfer:memory-map:read::': description, 'vFlash': 'OK'})
        said = commands(place, f'target remote unix:{place.home / f"map-{size}-{block}"}', 'load', 'print 1 + 1', arguments=(MACHINE,))
        equal('Transfer rate' in said[2], False, said[2])
        equal(said[3], '$1 = 2\n')
        equal(any(packet.startswith('vFlashErase') for packet in stub.log), False, stub.log)


def sections(path):
    """Names of sections with their contents, by objdump's table."""
    text = subprocess.run(['objdump', '-h', path], capture_output=True, text=True, check=True).stdout
    data = path.read_bytes()
    for _, name, size, _, lma, offset in re.findall(r'^ *(\d+) (\.\S+) +(\w+)  (\w+)  (\w+)  (\w+)', text, re.M):
        if name in ('.text', '.rodata', '.data'):
            yield name, int(lma, 16), data[int(offset, 16):int(offset, 16) + int(size, 16)]


def test_a_program_is_loaded_into_a_machine(place):
    if not shutil.which('qemu-system-x86_64'):
        print('qemu-system-x86_64 is not installed')
        return
    said = commands(place, f'target remote {QEMU}', 'x/4xb boot', 'load', 'print $pc', 'x/4xb boot', arguments=(MACHINE,))
    entry = re.search(r'Start address (0x[0-9a-f]+)', said[3])
    holds(said[4], f' {int(entry[1], 16):#x} <')
    name, address, data = next(sections(MACHINE))
    at = int(entry[1], 16) - address
    holds(said[5], '\t'.join(f'0x{byte:02x}' for byte in data[at:at + 4]))


def test_a_kernel_somewhere_else_than_it_was_linked_to(place):
    if not shutil.which('qemu-system-x86_64'):
        print('qemu-system-x86_64 is not installed')
        return
    moved = BUILD / 'tests/cli/cli-targets-moved'
    stub = f'{QEMU.replace("2>/dev/null", "")} -kernel {MACHINE} 2>/dev/null'
    for command in (f'symbol-file -o -0x10000000 {moved}', f'add-symbol-file {moved} -o -0x10000000'):
        said = commands(place, f'target remote {stub}', command, 'hbreak *long_mode', 'continue', 'break add', 'continue', 'bt',
                        'print *p', 'up', 'print p', 'info symbol add', arguments=())
        holds(said[6], 'Breakpoint 2, add (a=0, b=0) at')
        holds(said[7], '#1 ')
        holds(said[7], 'in main () at')
        holds(said[10], '{x = 1, y = 2, long_name = 3}')
        holds(said[11], 'add in section .text')


def test_files_of_names(place):
    stripped = place.home / 'stripped'
    subprocess.run(['strip', '-o', stripped, PROGRAM], check=True)
    said = commands(place, f'exec-file {stripped}', f'symbol-file {PROGRAM}', 'break add', 'run', 'bt', 'kill', 'symbol-file', 'exec-file',
                    'run', f'target exec {PROGRAM}', f'add-symbol-file {PROGRAM} -o 0x10000000', 'info line add', 'info symbol add',
                    f'remove-symbol-file {PROGRAM}', 'print &add', f'remove-symbol-file {PROGRAM}', 'remove-symbol-file',
                    'add-symbol-file', 'add-symbol-file /nowhere 0', f'add-symbol-file {PROGRAM} -x', f'add-symbol-file {PROGRAM} -s .text',
                    'symbol-file /nowhere', 'exec-file /nowhere', 'exec-file /etc/passwd', 'core-file /etc/passwd', arguments=())
    holds(said[4], f'Starting program: {stripped}')
    holds(said[4], 'Breakpoint 1, add (a=0, b=0) at')
    holds(said[5], 'in main () at')
    holds(said[7], 'No symbol file now.')
    equal(said[8], 'No executable file now.\n')
    holds(said[9], 'No executable file specified.')
    holds(said[11], 'with all sections offset by 0x10000000\n')
    holds(said[12], 'Line ')
    holds(said[12], 'starts at address 0x100011')
    holds(said[14], f'Remove symbol table from file "{PROGRAM}"?')
    holds(said[15], 'No symbol')
    equal(said[16], 'No symbol file found\n')
    equal(said[17], 'remove-symbol-file: no symbol file provided\n')
    equal(said[18], 'add-symbol-file takes a file name and an address\n')
    holds(said[19], '/nowhere: No such file or directory.\n')
    equal(said[20], 'Unrecognized argument "-x"\n')
    holds(said[21], 'Missing section address')
    equal(said[22] + said[23], '/nowhere: No such file or directory.\n' * 2)


def test_settings_of_targets(place):
    said = commands(place, 'show architecture', 'set architecture i386', 'show architecture', 'x/i main', 'set architecture auto',
                    'set architecture nonsense', 'show osabi', 'set osabi GNU/Linux', 'show osabi', 'show sysroot',
                    'set sysroot /nowhere', 'break main', 'run', 'info sharedlibrary', 'set sysroot', 'info sharedlibrary',
                    'show tcp auto-retry', 'show tcp connect-timeout', 'set serial baud 115200', 'show serial baud', 'show debug remote')
    equal(said[1], 'The target architecture is set to "auto" (currently "i386:x86-64").\n')
    equal(said[2] + said[3], 'The target architecture is set to "i386".\n' * 2)
    equal(said[5], said[1])
    holds(said[6], 'Undefined item: "nonsense".')
    equal(said[7], 'The current OS ABI is "auto" (currently "GNU/Linux").\nThe default OS ABI is "GNU/Linux".\n')
    equal(said[9], 'The current OS ABI is "GNU/Linux".\nThe default OS ABI is "GNU/Linux".\n')
    equal(said[10], 'The current system root is "".\n')
    equal(said[14].count('libc.so'), 0)
    holds(said[16], 'libc.so')
    equal(said[17], 'Auto-retry on socket connect is on.\n')
    equal(said[18], 'Timeout limit in seconds for socket connection is 15.\n')
    equal(said[20], 'Baud rate for remote serial I/O is 115200.\n')
    equal(said[21], 'Debugging of remote protocol is off.\n')


def test_a_serial_line(place):
    ends = [pty.openpty() for _ in range(2)]
    over = threading.Event()

    def relay():
        masters = [ends[0][0], ends[1][0]]
        while not over.is_set():
            for ready in select.select(masters, [], [], 0.1)[0]:
                os.write(masters[1 - masters.index(ready)], os.read(ready, 65536))

    for _, slave in ends:
        tty.setraw(slave)
    server = subprocess.Popen([TRAPLINE, '--serve', os.ttyname(ends[0][1]), '--once', PROGRAM], stdin=subprocess.DEVNULL,
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    thread = threading.Thread(target=relay)
    thread.start()
    try:
        said = commands(place, 'set serial baud 115200', f'target remote {os.ttyname(ends[1][1])}', 'tbreak add', 'continue', 'kill')
        holds(said[4], 'add (a=0, b=0)')
    finally:
        over.set()
        thread.join()
        server.kill()
        server.wait()
        for end in ends:
            os.close(end[0])
            os.close(end[1])


if __name__ == '__main__':
    sys.exit(main(sys.modules[__name__]))
