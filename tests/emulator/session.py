#!/usr/bin/env python3
"""Debian's kernel on the emulated machine, debugged from reset through OpenSBI and the kernel into two processes: by
gdb-multiarch, by lldb and at Trapline's own prompt. session.py --build FOLDER [--lldb lldb-14]... [--newer]"""

import argparse
import os
import pathlib
import re
import selectors
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import debian
import initrd

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1] / 'tools'))
import newer_lldb  # noqa: E402 pylint: disable=wrong-import-position

DEADLINE = 60
MARK = 'answered'
KERNEL_BASE, KERNEL_SIZE = 0xffffffff80000000, 0x2000000
LOADED = 0x80200000  # where the kernel is before its MMU is on

passed = failed = skipped = 0


def check(what, good, shown=''):
    """Counts, and shows what was seen when it is not as it should be."""
    global passed, failed
    passed += bool(good)
    failed += not good
    print(f'{"ok" if good else "FAILED"} {what}', flush=True)
    if not good:
        print(shown[-2000:])


def skip(what):
    global skipped
    skipped += 1
    print(f'skipped {what}')


class Silent(Exception):
    """Something that was waited for has not come."""


class Program:
    """A program on pipes, and all that it has written."""

    def __init__(self, words, folder):
        self.name = pathlib.Path(str(words[0])).name
        self.process = subprocess.Popen([str(word) for word in words], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.STDOUT, cwd=folder, start_new_session=True)
        self.text, self.seen = '', 0
        self.selector = selectors.DefaultSelector()
        self.selector.register(self.process.stdout, selectors.EVENT_READ)

    def read(self, until):
        if not self.selector.select(max(0, until - time.monotonic())):
            raise Silent(f'{self.name} is silent behind:\n{self.text[-3000:]}')
        part = os.read(self.process.stdout.fileno(), 65536)
        self.text += part.decode(errors='replace')
        return part != b''

    def wait_for(self, pattern):
        """Reads until the pattern is found behind what was waited for before; the text up to it."""
        until = time.monotonic() + DEADLINE
        while (found := re.compile(pattern, re.M).search(self.text, self.seen)) is None:
            if not self.read(until):
                raise Silent(f'{self.name} ended before {pattern!r}:\n{self.text[-3000:]}')
        shown, self.seen = self.text[self.seen:found.end()], found.end()
        return shown

    def send(self, line):
        self.process.stdin.write((line + '\n').encode())
        self.process.stdin.flush()

    def end(self):
        """Its exit status, when it has ended by itself."""
        until = time.monotonic() + DEADLINE
        self.process.stdin.close()
        while self.read(until):
            continue
        return self.process.wait(timeout=DEADLINE)

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.process.stdout.close()


class Client(Program):
    """A debugger, asked line by line."""

    def begin(self, line):
        self.send(line)
        self.send(f'echo {MARK}\\n')

    def answer(self):
        return self.wait_for(rf'^(\(\S+\) )*{MARK}$').rsplit('\n', 1)[0]

    def ask(self, line):
        self.begin(line)
        return self.answer()

    def number(self, expression):
        shown = self.ask(f'printf "=%lu=\\n", (unsigned long) ({expression})')
        found = re.search(r'=(\d+)=', shown)
        if found is None:
            raise Silent(f'{expression}: {shown}')
        return int(found[1])

    def interrupt(self):
        os.kill(self.process.pid, signal.SIGINT)


class Machine:
    """A machine that is served, what its guest prints, and the debuggers that come to it."""

    def __init__(self, options, words=(), serving=(), line=''):
        self.options = options
        self.socket = options.folder / 'socket'
        self.server = Program([options.trapline, '--serve', f'unix:{self.socket}', *serving, 'emu', *words, *boot(options, line),
                               '--serial', '-'], options.folder)
        self.programs = [self.server]
        self.server.wait_for('^Listening on')

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for program in self.programs:
            program.close()
        self.socket.unlink(missing_ok=True)

    def gdb(self, how='extended-remote'):
        client = Client(['gdb-multiarch', '-nx', '-q', self.options.symbols], self.options.folder)
        self.programs.append(client)
        for line in ['set pagination off', 'set width 0', 'set confirm off', f'add-symbol-file {self.options.init}', f'target {how} {self.socket}']:
            shown = client.ask(line)
        return client, shown


def boot(options, line=''):
    return ['--kernel', options.kernel / 'vmlinux', '--initrd', options.files, '--append', f'console=ttyS0 {line}']


# ---- What there is to debug ----

def compile_init(folder):
    """The first program of Linux, with what debuggers know of it; None without a compiler."""
    compiler = shutil.which('riscv64-unknown-elf-gcc')
    if compiler is None:
        return None
    init = folder / 'init'
    subprocess.run([compiler, '-g', '-O0', '-ffreestanding', '-nostdlib', '-static', '-march=rv64gc', '-mabi=lp64d', '-mno-relax', '-Wall',
                    '-Wextra', '-Werror', '-Ttext=0x10000', '-o', init, HERE / 'guest/session.c'], check=True, timeout=DEADLINE)
    return init


def list_symbols(options):
    """Addresses of functions of the kernel, as it tells its own processes: its file has no table of them."""
    run = subprocess.run([options.trapline, '-nx', '-q', '--batch', '-ex', 'continue', 'emu', '--no-history', *boot(options, 'quiet -- symbols'),
                          '--serial', '-'], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                         timeout=DEADLINE, check=False)
    found = {name: int(address, 16) for address, name in re.findall(r'^symbol (\w+) \w (\w+)\s*$', run.stdout, re.M)}
    check('the kernel says where its functions are', 'start_kernel' in found and 'setup_vm' in found, run.stdout[-2000:])
    return found


def make_symbols(symbols, folder):
    """An ELF file that has those symbols, and no bytes."""
    lines = ['\t.section .kernel, "ax", @nobits']
    for name, address in sorted(symbols.items(), key=lambda item: item[1]):
        lines += [f'\t.org {address - KERNEL_BASE:#x}', f'\t.globl {name}', f'\t.type {name}, @function', f'{name}:']
    lines.append(f'\t.org {KERNEL_SIZE:#x}')
    source, part, target = folder / 'symbols.S', folder / 'symbols.o', folder / 'symbols'
    source.write_text('\n'.join(lines) + '\n')
    subprocess.run(['riscv64-linux-gnu-as', '-march=rv64gc', '-o', part, source], check=True, timeout=DEADLINE)
    subprocess.run(['riscv64-linux-gnu-ld', f'--section-start=.kernel={KERNEL_BASE:#x}', '-e', '_start_kernel', '-o', target, part],
                   check=True, timeout=DEADLINE)
    return target


# ---- gdb ----

def gdb_into_the_kernel(client, options):
    symbols = options.found
    check('gdb at reset', client.number('$pc') == 0x1000 and client.number('$priv') == 3, client.text[-2000:])
    shown = client.ask('info threads')
    check('a hart is a thread', '"hart 0, machine"' in shown, shown)
    client.ask(f'tbreak *{LOADED:#x}')
    shown = client.ask('continue')
    check('through OpenSBI to the kernel', client.number('$pc') == LOADED and client.number('$priv') == 1 and
          client.number('$satp') == 0, shown)
    early = symbols['setup_vm'] - KERNEL_BASE + LOADED
    client.ask(f'monitor break physical {early:#x}')
    shown = client.ask('continue')
    check('a breakpoint by physical address, before the MMU is on', client.number('$pc') == early, shown)
    client.ask(f'monitor delete physical {early:#x}')
    physical = symbols['start_kernel'] - KERNEL_BASE + LOADED
    client.ask(f'monitor break physical {physical:#x}')
    shown = client.ask('continue')
    check('the same, when the MMU is on', client.number('$pc') == symbols['start_kernel'] and client.number('$satp') != 0, shown)
    client.ask(f'monitor delete physical {physical:#x}')
    shown = client.ask('maintenance packet Qqemu.PhyMemMode:1') + client.ask(f'x/2xb {LOADED:#x}')
    shown += client.ask('maintenance packet Qqemu.PhyMemMode:0') + client.ask('x/2xb _start')
    check('memory by physical and by virtual addresses', len(re.findall(r'0x4d\s+0x5a$', shown, re.M)) == 2, shown)


def gdb_over_a_call(client, options):
    """Into the kernel with the call of a program, and back."""
    client.ask('tbreak the_call')
    client.ask('continue')
    shown = client.ask('stepi')
    check('a step into the kernel', client.number('$priv') == 1 and client.number('$pc') == options.found['handle_exception'] and
          client.number('$scause') == 8, shown)
    shown = client.ask('reverse-stepi')
    check('and back in time', client.number('$priv') == 0 and client.number('$pc') == client.number('&the_call'), shown)
    client.ask('tbreak *((char *) &the_call + 4)')
    shown = client.ask('continue')
    check('over the call, and back in the program', client.number('$priv') == 0 and
          client.number('$pc') == client.number('(char *) &the_call + 4'), shown)


def gdb_in_two_processes(client):
    """Both have the same addresses: the value of satp tells them apart."""
    client.ask('break work')
    seen = {}
    for _ in range(6):
        shown = client.ask('continue')
        seen.setdefault(client.number('which'), set()).add(client.number('$satp'))
        if len(seen) == 2:
            break
    check('two processes at one address', sorted(seen) == [1, 2] and seen[1] != seen[2] and len(seen[1] | seen[2]) == 2, f'{seen} {shown}')
    shown = client.ask('backtrace')
    check('a backtrace through a program of Linux', re.search(r'#0 +work \(which=\d\).*\n#1 .* in child .*\n#2 .* in have_child', shown), shown)
    client.ask('delete')
    here, satp = client.number('$pc'), client.number('$satp')
    client.ask(f'monitor break satp {satp:#x} {here:#x}')
    came = []
    which = client.number('which')
    for _ in range(2):
        shown = client.ask('continue')
        came.append((client.number('which'), client.number('$satp'), client.number('$pc')))
    check('a breakpoint of one address space', came == [(which, satp, here)] * 2, f'{came} {shown}')
    client.ask(f'monitor delete satp {satp:#x} {here:#x}')


def gdb_at_the_end(machine, client):
    """The guest's own trap instruction is the guest's; a reset keeps the points; the end is an exit."""
    client.ask('delete')
    client.ask('tbreak the_trap')
    shown = client.ask('continue')
    check('a breakpoint at a trap instruction of the guest', client.number('$pc') == client.number('&the_trap'), shown)
    client.ask('monitor catch ebreak')
    shown = client.ask('continue')
    check('the trap instruction before the guest takes it', client.number('$pc') == client.number('&the_trap') and 'SIGTRAP' in shown, shown)
    client.ask('monitor catch none')
    client.ask('tbreak finish')
    client.ask('continue')
    client.ask('set var end = 0x1234567')
    client.ask('tbreak kernel_restart')
    shown = client.ask('continue')
    guest = machine.server.wait_for('child 3: signal 5')
    check('the guest gets its own trap', 'kernel_restart' in shown and 'child 1: exit 3' in guest and 'child 2: exit 6' in guest, shown + guest)
    client.ask('break work')
    shown = client.ask('continue')
    again = machine.server.wait_for('session: process 1')
    check('points are kept when the guest resets the machine', 'OpenSBI' in again and client.number('which') == 1 and
          client.number('worked') == 0, shown + again)
    client.ask('delete')
    shown = client.ask('continue')
    check('the end of the machine is an exit', 'exited normally' in shown, shown)
    client.ask('break work')
    client.begin('run')
    shown = client.answer()
    again = machine.server.wait_for('session: process 1')
    check('run begins it anew', 'OpenSBI' in again and 'work (which=1)' in shown, shown + again)
    shown = client.ask('kill')
    check('and kill ends it', 'killed' in shown, shown)


def with_gdb(options):
    with Machine(options) as machine:
        client, shown = machine.gdb()
        check('gdb has the machine', '0x0000000000001000' in shown, shown)
        gdb_into_the_kernel(client, options)
        gdb_over_a_call(client, options)
        gdb_in_two_processes(client)
        gdb_at_the_end(machine, client)


def stop_by_hand(machine, client, words):
    """A ^C when the guest has said so; what the debugger says. One that came before the machine was set going ends the command."""
    for _ in range(5):
        client.begin('continue')
        client.wait_for(r'^(\(gdb\) )*Continuing')
        machine.server.wait_for(words)
        client.interrupt()
        shown = client.answer()
        if 'Quit' not in shown:
            break
        words = ''
    return shown


def interrupts_and_visits(options):
    """^C while firmware, the kernel and a program run; a client goes, and another one comes."""
    with Machine(options, ['--harts', '2'], line='-- wait') as machine:
        client, _ = machine.gdb('remote')
        for place, words in [('firmware', 'OpenSBI'), ('the kernel', 'Linux version'), ('its end', 'Run /init'), ('a program', 'child 3:')]:
            shown = stop_by_hand(machine, client, words)
            check(f'^C in {place}', 'SIGINT' in shown or 'Interrupt' in shown, shown)
        check('both harts stand', client.ask('info threads').count('"hart ') == 2, client.text[-2000:])
        before = client.number('worked')
        shown = client.ask('detach')
        check('gdb goes', 'detached' in shown, shown)
        machine.server.wait_for('^Listening on')
        again, shown = machine.gdb('remote')
        again.ask('thread 1')
        check('another one comes', again.number('worked') >= before, shown)
        again.ask('break work')
        again.ask('tbreak kernel_restart')
        again.close()
        machine.server.wait_for('^Listening on')
        third, shown = machine.gdb('remote')
        shown = third.ask('monitor info points')
        check('of a client that is lost no point stays', '0 points' in shown, shown)
        shown = third.ask('kill')
        check('the server ends with its machine', machine.server.end() == 0, shown)


def found_running(options):
    with Machine(options, ['--running'], line='-- wait') as machine:
        machine.server.wait_for('child 3: signal 5')
        client, _ = machine.gdb('remote')
        first = client.number('worked')
        client.ask('stepi')
        client.ask('watch worked')
        shown = client.ask('continue')
        check('a machine that runs is found so, and stopped', 'worked' in shown and client.number('worked') >= first, shown)


# ---- lldb ----

def call_of(init):
    """The address of the program's one ecall: in the middle of a function, where lldb does not break by name."""
    listed = subprocess.run(['riscv64-linux-gnu-nm', init], stdout=subprocess.PIPE, text=True, timeout=DEADLINE, check=True).stdout
    return '0x' + re.search(r'^(\w+) \w the_call$', listed, re.M)[1]


def with_lldb(options, program):
    """In one batch: it runs one command behind the other only then."""
    early = options.found['setup_vm'] - KERNEL_BASE + LOADED
    asked = [(['process continue'], r'stop reason = one-shot breakpoint 1'), (['register read pc'], rf'pc = 0x0*{LOADED:x}'),
             (['process continue', 'register read pc satp'], rf'pc = 0x0*{early:x}(.|\n)*satp = 0x0+$'),
             (['process continue', 'register read pc'], r'pc = 0x\w+ +.*start_kernel'),
             (['process continue', 'frame variable which'], r'which = 1'),
             (['thread backtrace'], r'frame #0: .*work(.|\n)*frame #1: .*child'),
             (['watchpoint set variable worked', 'process continue', 'register read pc'],
              r'Watchpoint 1 hit:\n\s*old value: (\d+)\n\s*new value: (?!\1\b)\d+(.|\n)*?pc = 0x\w+ .*work'),
             (['watchpoint delete 1'], r'1 watchpoints? deleted'),
             ([f'breakpoint set --one-shot true --address {call_of(options.init)}', 'process continue'], r'stop reason = one-shot breakpoint 5'),
             (['thread step-inst', 'register read pc priv'], r'pc = 0x\w+ +.*handle_exception(.|\n)*priv = 0x0*1'),
             (['process continue'], r'exited with status = 0')]
    with Machine(options) as machine:
        before = ['settings set auto-confirm true', 'settings set symbols.enable-external-lookup false',
                  f'target create {options.symbols}', f'target modules add {options.init}', f'process connect unix-connect://{machine.socket}',
                  f'breakpoint set --one-shot true --address {LOADED:#x}', f'breakpoint set --one-shot true --address {early:#x}',
                  'breakpoint set --one-shot true --name start_kernel', 'breakpoint set --one-shot true --name work']
        commands = options.folder / 'commands'
        commands.write_text('\n'.join([*before, *(line for lines, _ in asked for line in lines)]) + '\n')
        shown = subprocess.run([program, '--batch', '--no-lldbinit', '--no-use-colors', '--source', commands], stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=DEADLINE, check=False).stdout
        at = 0
        for lines, pattern in asked:
            found = re.compile(pattern, re.M).search(shown, at)
            check(f'{program}: {lines[-1]}: {pattern}', found, shown[at:])
            at = found.end() if found else at


# ---- The prompt ----

def at_the_prompt(options):
    client = Client([options.trapline, '-nx', '-q', 'emu', *boot(options)], options.folder)
    try:
        client.ask(f'symbol-file {options.symbols}')
        client.ask(f'add-symbol-file {options.init}')
        client.ask(f'tbreak *{LOADED:#x}')
        shown = client.ask('continue')
        check('the prompt: through OpenSBI to the kernel', client.number('$pc') == LOADED and client.number('$satp') == 0, shown)
        client.ask('tbreak start_kernel')
        shown = client.ask('continue')
        check('the prompt: in the kernel', 'start_kernel' in shown and client.number('$satp') != 0, shown)
        client.ask('break work if which == 2')
        shown = client.ask('continue')
        check('the prompt: in a program', 'work (which=2)' in shown and client.number('$priv') == 0, shown)
        shown = client.ask('backtrace')
        check('the prompt: its stack', re.search(r'#1 .* in child .*\n#2 .* in have_child', shown), shown)
        client.ask('delete')
        client.ask('tbreak the_call')
        client.ask('continue')
        shown = client.ask('stepi')
        check('the prompt: a step into the kernel', 'handle_exception' in shown and client.number('$priv') == 1, shown)
        shown = client.ask('continue')
        check('the prompt: the end of the machine is an exit', 'exited normally' in shown, shown)
    finally:
        client.close()


def parse_arguments(folder):
    parser = argparse.ArgumentParser(description=__doc__.split('\n\n')[0])
    parser.add_argument('--build', default='build')
    parser.add_argument('--kernel', help='a folder as debian.py makes it (default: the one of all builds)')
    parser.add_argument('--newer', action='store_true', help='lldb 19, too, which is fetched')
    parser.add_argument('--lldb', action='append', help='a program (default: lldb-14, if it is there)')
    options = parser.parse_args()
    build = pathlib.Path(options.build).resolve()
    options.folder = folder
    options.trapline = build / 'trapline'
    options.kernel = debian.kernel(options.kernel)
    options.init = compile_init(folder)
    if options.init is None:
        raise debian.Missing('riscv64-unknown-elf-gcc is not installed')
    options.files = initrd.make(folder / 'initrd', {'init': options.init.read_bytes()})
    options.lldb = options.lldb or [name for name in ['lldb-14'] if shutil.which(name)]
    if options.newer:
        options.lldb.append(newer_lldb.fetch())
    return options


def main():
    folder = pathlib.Path(tempfile.mkdtemp(prefix='trapline-session-'))
    try:
        options = parse_arguments(folder)
        options.found = list_symbols(options)
        options.symbols = make_symbols(options.found, folder)
        if shutil.which('gdb-multiarch'):
            with_gdb(options)
            interrupts_and_visits(options)
            found_running(options)
        else:
            skip('gdb-multiarch: it is not installed')
        for program in options.lldb:
            with_lldb(options, program)
        at_the_prompt(options)
    except debian.Missing as why:
        skip(str(why))
    except (Silent, subprocess.SubprocessError) as why:
        check('an answer', False, str(why))
    finally:
        shutil.rmtree(folder)
    print(f'{passed} passed, {failed} failed, {skipped} skipped')
    return failed != 0


if __name__ == '__main__':
    sys.exit(main())
