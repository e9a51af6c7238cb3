#!/usr/bin/env python3
"""The same commands over every kind of target: what is said must not depend on what is debugged.

A scenario is a text of commands, carried out at `main` of targets.c (or where a core dump can be made). What it prints over
our own native target is the measure for all others, and is itself held against gdb's. What a target cannot do is
skipped with a reason; the table at the end tells what ran where. KIND and SCENARIO in the environment choose some.
"""

import concurrent.futures
import difflib
import os
import pathlib
import re
import select
import shutil
import signal
import subprocess
import sys
import threading

from harness import BUILD, DEADLINE, TRAPLINE, Failure, environment, equal, main

PROGRAM = BUILD / 'tests/cli/cli-targets'
MACHINE = BUILD / 'tests/cli/cli-targets-machine'
GDBSERVER = TRAPLINE.parent / 'trapline-gdbserver'
SOURCE = pathlib.Path(__file__).with_name('targets.c').read_text().splitlines()


def line(text):
    """The number of the source line that contains this."""
    return next(number for number, found in enumerate(SOURCE, 1) if text in found)


class Scenario:
    """`needs`: what the target must be able to do; `at`: the function where it begins; `differs`: why gdb says another thing."""

    def __init__(self, name, commands, needs='run', at='main', differs=None):
        self.name, self.needs, self.at, self.differs = name, set(needs.split()), at, differs
        self.commands = [command.strip() for command in commands.strip().splitlines()]


SCENARIOS = [
    Scenario('breakpoints', f'''
        break add
        break targets.c:{line('watched = p->y;')}
        info breakpoints
        continue
        disable 2
        continue
        info breakpoints
        delete 2
        continue
        tbreak descend
        continue
        info breakpoints'''),
    Scenario('addresses', '''
        break *add
        continue
        info symbol $pc
        x/i $pc
        delete
        break *(descend + 4)
        continue
        p $pc - (long)descend'''),
    Scenario('conditions', '''
        break add if b == 2
        continue
        condition 2 a > 100
        tbreak descend if depth == 3
        continue
        print depth'''),
    Scenario('ignore counts', '''
        break add
        ignore 2 1
        continue
        info breakpoints
        continue 2'''),
    Scenario('commands of points', '''
        break add
        commands
        silent
        printf "a is %d\\n", a
        continue
        end
        tbreak change
        continue'''),
    Scenario('dprintf', '''
        dprintf add,"a is %d, b is %#x\\n",a,b
        tbreak change
        continue'''),
    Scenario('pending', '''
        set breakpoint pending on
        break nowhere_at_all
        info breakpoints
        tbreak change
        continue''',
             differs='gdb says first that the function is not defined'),
    Scenario('hardware breakpoints', '''
        hbreak add
        thbreak change
        info breakpoints
        continue
        delete 2
        continue
        info breakpoints''', 'run hardware'),
    Scenario('watchpoints', '''
        watch watched
        continue
        continue
        info watchpoints
        delete 2
        rwatch watched
        tbreak descend
        continue''', 'run hardware', at='change'),
    Scenario('conditions on watchpoints', '''
        watch watched if watched == 5
        continue
        delete 2
        awatch watched
        continue''', 'run hardware', at='change'),
    Scenario('watched locals', '''
        tbreak add
        continue
        watch sum
        continue
        continue
        bt 1''', 'run hardware'),
    Scenario('watch -l', '''
        watch -l p->y
        continue
        info watchpoints''', 'run hardware', at='change'),
    Scenario('software watchpoints', '''
        set can-use-hw-watchpoints 0
        watch watched
        continue
        continue
        bt''', at='change'),
    Scenario('steps', '''
        next
        next
        next 2
        step
        step
        step
        info locals
        next
        stepi
        nexti
        step 3'''),
    Scenario('finish', '''
        tbreak descend
        continue
        break add
        continue
        bt
        finish
        finish
        delete
        up 2
        finish'''),
    Scenario('until and advance', f'''
        advance add
        until
        until
        until {line('change(&p, total);')}
        advance descend'''),
    Scenario('jump and return', f'''
        tbreak add
        continue
        return 40
        next
        print total
        tbreak descend
        continue
        finish
        tbreak {line('return status;')}
        jump {line('return status;')}'''),
    Scenario('frames', '''
        bt
        bt 1
        bt -1
        bt full
        frame
        up
        info locals
        down
        frame 1
        frame function change
        info args''', 'look', at='change',
             differs='"No locals." is indented'),
    Scenario('deep stacks', '''
        set var what = DEEP
        tbreak add
        continue
        bt 3
        bt -2
        frame 200
        p depth'''),
    Scenario('values', '''
        print *p
        print p->x + by
        print/x by
        print $
        print $$2
        print what
        print text
        print &watched
        print sizeof *p
        ptype p
        whatis *p
        ptype/o struct point
        output by
        print (char) 65
        print *p@1
        print $_
        print nothing
        print $nothing
        x/s text
        x/2dw p
        x/4xb p
        x/2i $pc
        x/gx 0x123456789000
        print *(int *) 0x123456789000''', 'look', at='change'),
    Scenario('storing', '''
        set var p->y = 9
        print p->y
        print by = 7
        print/d $rax = 5
        print $rax + 1
        set var $i = 3
        print $i * 2
        print status = 12
        next
        info args''', at='change'),
    Scenario('registers', '''
        print $pc == (long)$rip
        print $sp <= $rbp
        info registers rip
        print/x $eflags & 2
        print $xmm0.v4_int32[0] == $xmm0.v4_int32[0]''', 'look', at='change'),
    Scenario('displays', '''
        display p->x
        display/x by
        info display
        next
        undisplay 1
        next''', at='change'),
    Scenario('listing and code', f'''
        list
        list add
        list {line('if (depth == 0)')},+2
        info line add
        info symbol add
        disassemble add
        disassemble /s add
        disassemble /r $pc,+8''', 'look', at='change'),
    Scenario('calls', '''
        print add(20, 22)
        call change(&p, 1)
        call (void)0
        print descend(2) + 1
        next 2
        print p.x
        break add
        print add(1, 2)
        bt 1
        finish
        print p.x''',
             differs='frames of calls, and what finish shows of them'),
    Scenario('text in C', '''
        printf "%s %d %c\\n", text, what, 65
        echo hello\\n
        set var $x = 0
        while $x < 3
        print $x
        set var $x = $x + 1
        end
        if watched == 0
        echo none\\n
        else
        echo some\\n
        end
        define twice
        print $arg0 * 2
        end
        twice 21''', 'look', at='change'),
    Scenario('garbage', '''
        brk
        break nowhere
        delete 99
        frame 99
        thread 99
        print )
        x/q 0
        set var nothing = 1
        info nothing
        list 9999
        up 999
        enable 77
        condition 88 1
        ptype struct nothing
        bt nonsense''', 'look', at='change',
             differs='errors are worded to say more'),
    Scenario('program exit', '''
        set var status = 3
        tbreak descend
        continue
        print $_exitcode
        continue
        print $_exitcode
        info threads
        bt
        continue
        info breakpoints''', 'run exit'),
    Scenario('libraries', '''
        info sharedlibrary''', 'look process', at='change'),
    Scenario('threads', '''
        set var what = THREAD
        break in_thread
        continue
        thread
        bt 2
        print number
        thread 1
        bt -1
        thread apply 2 print number
        thread 2
        delete
        next
        set scheduler-locking on
        next
        info locals
        set scheduler-locking off
        tbreak descend
        continue
        info threads''', 'run threads'),
    Scenario('signals', '''
        set var what = SIGNAL
        break on_signal
        handle SIGUSR1 stop print pass
        continue
        bt -1
        continue
        bt 1
        finish
        print status''', 'run signals',
             differs='a hint at where sources are looked for'),
    Scenario('quiet signals', '''
        set var what = SIGNAL
        handle SIGUSR1 nostop noprint nopass
        tbreak descend
        continue
        print status''', 'run signals'),
    Scenario('caught signals', '''
        set var what = SIGNAL
        catch signal SIGUSR1
        continue
        delete
        tbreak descend
        signal 0
        print status''', 'run signals',
             differs='the same hint'),
    Scenario('caught forks', '''
        set var what = FORK
        catch fork
        continue
        delete
        tbreak descend
        continue''', 'run forks',
             differs='the same hint; the child is let go before the stop'),
    Scenario('followed children', '''
        set var what = FORK
        set follow-fork-mode child
        continue''', 'run forks',
             differs='gdb numbers the child as a second program'),
    Scenario('caught system calls', '''
        set var what = CALL
        catch syscall getppid
        continue
        continue
        delete
        tbreak descend
        continue''', 'run syscalls',
             differs='the same hint'),
    Scenario('faults', '''
        set var what = FAULT
        continue
        bt 1
        continue
        bt''', 'run signals'),
    Scenario('detach', '''
        detach
        bt
        info breakpoints''', 'run detach'),
    Scenario('kill', '''
        kill
        bt
        print watched''', 'run kill'),
]


class Kind:
    """A kind of target: how it is come by, and what it cannot do, with the reason."""
    program = PROGRAM
    cannot = {}
    setup = ['continue']  # to `main`, where a temporary breakpoint is
    gdb = None            # the words by which gdb gets there

    def __init__(self, folder):
        self.folder = folder
        self.processes = []

    def arguments(self):
        """Of trapline, in front of the program."""
        raise NotImplementedError

    def missing(self):
        """Why it cannot be had at all here; None: it can."""
        return None

    def start(self, *command):
        process = subprocess.Popen(list(map(str, command)), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                   stderr=subprocess.STDOUT, text=True, errors='replace', cwd=self.folder)
        self.processes.append(process)
        return process

    def close(self):
        for process in self.processes:
            process.kill()
            process.wait()
            process.stdout.close()

    def text(self, scenario):
        begin = ['set width 0', 'set height 0', *self.to(scenario.at), 'echo BEGIN\\n']
        return ''.join(command + '\n' for command in begin + scenario.commands + ['echo END\\n'])

    def to(self, place):
        return [f'tbreak {place}', *self.setup]


class Native(Kind):
    name = 'native'
    setup = ['run']

    def arguments(self):
        return []


class Installed(Kind):
    needs = None

    def missing(self):
        return None if shutil.which(self.needs) else f'{self.needs} is not installed'


class OwnServer(Kind):
    name = 'own server'

    def stub(self):
        return f'exec {TRAPLINE} --serve - {PROGRAM}'

    def arguments(self):
        # What the stub says of itself is no part of it.
        return ['connect', f'| {self.stub()} 2>/dev/null']


class OwnGdbserver(OwnServer):
    name = 'own gdbserver'

    def stub(self):
        return f'exec {GDBSERVER} --once - {PROGRAM}'


class OwnSocket(OwnServer):
    name = 'own, socket'

    def arguments(self):
        server = self.start(TRAPLINE, '--serve', f'unix:{self.folder}/stub', '--once', PROGRAM)
        for text in server.stdout:
            if 'Listening' in text:
                break
        return ['connect', f'unix:{self.folder}/stub']


class Gdbserver(Installed, OwnServer):
    name = 'gdbserver'
    needs = 'gdbserver'

    def stub(self):
        return f'exec gdbserver --once - {PROGRAM}'


class Chained(Gdbserver):
    """Our own server in front of gdbserver."""
    name = 'own, chained'

    def stub(self):
        return f"exec {TRAPLINE} --serve - connect '| exec gdbserver --once - {PROGRAM}'"


class QemuUser(Installed):
    name = 'qemu-x86_64'
    needs = 'qemu-x86_64'
    cannot = {'hardware': 'its stub has no debug registers', 'forks': 'its stub tells of no forks',
              'syscalls': 'its stub tells of no system calls', 'interrupt': 'its stub is deaf while the program runs',
              'threads': 'its stub mixes up stops of two threads that come at the same time'}

    def arguments(self):
        path = self.folder / 'stub'
        process = self.start(self.needs, '-g', path, PROGRAM)
        deadline = threading.Event()
        for _ in range(DEADLINE * 50):
            if path.exists() or process.poll() is not None:
                break
            deadline.wait(0.02)
        return ['connect', f'unix:{path}']


class QemuSystem(Installed):
    name = 'qemu-system'
    needs = 'qemu-system-x86_64'
    program = MACHINE
    cannot = {name: f'a machine has no {what}' for name, what in
              (('process', 'libraries'), ('exit', 'exit status'), ('threads', 'threads but processors'), ('signals', 'signals'), ('forks', 'processes'),
               ('syscalls', 'system calls'))}

    def arguments(self):
        return ['connect', f'| exec {self.needs} -display none -serial none -monitor none -nodefaults -no-reboot -m 16 -S '
                f'-gdb stdio -kernel {MACHINE} 2>/dev/null']

    def to(self, place):
        return ['advance long_mode', *super().to(place)]


class Core(Kind):
    name = 'core dump'
    cannot = {'run': 'nothing runs in a core dump'}
    made = None
    lock = threading.Lock()

    def arguments(self):
        with Core.lock:
            if Core.made is None:
                path = self.folder.parent / 'core'
                subprocess.run([TRAPLINE, '-q', '-nx', '-batch', '-ex', 'tbreak change', '-ex', 'run', '-ex', f'gcore {path}',
                                '-ex', 'kill', PROGRAM], capture_output=True, timeout=DEADLINE, check=True,
                               env=environment(self.folder.parent))
                Core.made = path
        return ['core', Core.made]

    def to(self, place):
        # The breakpoint that it was dumped at has a number everywhere else.
        return ['break change', 'delete 1']


KINDS = [Native, OwnServer, OwnGdbserver, OwnSocket, Gdbserver, Chained, QemuUser, QemuSystem, Core]


def plain(text):
    """What was printed from the beginning of the scenario on, without what differs from run to run."""
    text = re.sub(r'\(gdb\) |\(trapline\) |(^| )>+', '', text, flags=re.M)
    text = text.split('BEGIN\n', 1)[-1].split('END\n', 1)[0]
    text = re.sub(r'0x[0-9a-f]+', '0xN', text.replace('Ending remote debugging.\n', ''))
    text = re.sub(r'process \d+', 'process N', text)
    text = re.sub(r'Thread (0xN \(LWP \d+\)|\d+\.\d+)', 'Thread N', text)
    text = re.sub(r'(Thread [\dN]+) ("[^"]*"|\(CPU#[^)]*\))', r'\1', text)
    text = re.sub(r'( in section \S+) of .*|-machine(?=,)', r'\1', text)
    return [re.sub(' +', ' ', found) for found in text.rstrip().splitlines()]


def carried_out(kind, scenario, debugger):
    """What trapline (or gdb) prints for a scenario over a target."""
    words = kind.arguments()
    if debugger == 'gdb':
        words = ['-ex', f'target remote {words[1].removeprefix("unix:")}'] if words[:1] == ['connect'] else []
    command = [debugger, '-q', '-nx', *words, kind.program]
    done = subprocess.run(list(map(str, command)), input=kind.text(scenario), stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, errors='replace', timeout=3 * DEADLINE, cwd=kind.folder,
                          env=environment(kind.folder))
    return done.stdout


def differences(wanted, found):
    return '\n'.join(difflib.unified_diff(wanted, found, 'native', 'here', lineterm='', n=2))


def run_one(place, kind_class, scenario, debugger=TRAPLINE):
    """What came of it, and the text or the reason."""
    name = f'{kind_class.name}-{scenario.name}-{os.path.basename(debugger)}'
    kind = kind_class(place.home / re.sub('[^a-z]+', '-', name))
    kind.folder.mkdir()
    reasons = [kind.cannot[need] for need in sorted(scenario.needs) if need in kind.cannot]
    if reasons:
        return 'skip', reasons[0]
    try:
        return 'text', carried_out(kind, scenario, debugger)
    except subprocess.TimeoutExpired as failure:
        return 'failed', f'it hangs; so far:\n{(failure.stdout or b"").decode(errors="replace")}'
    finally:
        kind.close()


def chosen():
    """What KIND and SCENARIO, words in the environment, choose."""
    return ([kind for kind in KINDS if os.environ.get('KIND', '') in kind.name],
            [scenario for scenario in SCENARIOS if os.environ.get('SCENARIO', '') in scenario.name])


def test_native_is_as_gdb_says(place):
    failures = []
    with concurrent.futures.ThreadPoolExecutor(3) as pool:
        running = [(scenario, pool.submit(run_one, place, Native, scenario), pool.submit(run_one, place, Native, scenario, 'gdb'))
                   for scenario in chosen()[1]]
        for scenario, ours, theirs in running:
            (_, ours), (_, theirs) = ours.result(), theirs.result()
            text = differences(plain(theirs), plain(ours))
            if scenario.differs:
                print(f'not held against gdb: {scenario.name}: {scenario.differs}')
            elif text:
                failures.append(f'{scenario.name}:\n{text}')
    if failures:
        raise Failure('\n\n'.join(failures))


def test_every_target_is_as_native(place):
    table, reasons, failures = {}, {}, []
    kinds, scenarios = chosen()
    kinds = [kind for kind in kinds if not (missing := kind(place.home).missing()) or
             reasons.setdefault(f'{kind.name}: {missing}', ['everything']) is None]
    with concurrent.futures.ThreadPoolExecutor(3) as pool:
        native = {scenario: pool.submit(run_one, place, Native, scenario) for scenario in scenarios}
        running = {(kind, scenario): native[scenario] if kind is Native else pool.submit(run_one, place, kind, scenario)
                   for scenario in scenarios for kind in kinds}
        for (kind, scenario), one in running.items():
            what, text = one.result()
            if what == 'skip':
                reasons.setdefault(f'{kind.name}: {text}', []).append(scenario.name)
                table[kind, scenario] = '-'
                continue
            if what == 'text':
                text = differences(plain(native[scenario].result()[1]), plain(text))
            table[kind, scenario] = 'DIFFERS' if text else 'ok'
            if text:
                failures.append(f'{kind.name}, {scenario.name}:\n{text}')
    show(kinds, scenarios, table, reasons)
    if failures:
        raise Failure('\n\n'.join(failures))


def test_commands_at_the_other_end_do_not_outlive_a_debugger_that_is_killed(place):
    numbers = place.home / 'numbers'
    # What the shell started besides would not hear of the closed line.
    line = f'target extended-remote | (trap "" HUP; sleep 1000 & echo $! $$ > {numbers}; exec {BUILD}/trapline-gdbserver --multi -)'
    terminal = place.terminal('-q', '-nx', rows=24, columns=200)
    terminal.prompt()
    terminal.command(line)
    processes = [int(number) for number in numbers.read_text().split()]
    equal(len(processes), 2)
    equal([ends(process, 0) for process in processes], [False, False])
    os.kill(terminal.pid, signal.SIGKILL)
    equal([ends(process, 10) for process in processes], [True, True])


def ends(process, seconds):
    """Whether it is gone, or has been within that time."""
    try:
        handle = os.pidfd_open(process)
    except ProcessLookupError:
        return True
    ready = select.select([handle], [], [], seconds)[0]
    os.close(handle)
    return bool(ready)


def test_ctrl_c_stops_every_target(place):
    for kind_class in chosen()[0]:
        kind = kind_class(place.home / re.sub('[^a-z]+', '-', kind_class.name))
        reason = kind.missing() or kind.cannot.get('run') or kind.cannot.get('interrupt')
        if reason:
            print(f'{kind.name}: {reason}')
            continue
        kind.folder.mkdir()
        try:
            terminal = place.terminal('-q', '-nx', *kind.arguments(), kind.program)
            terminal.prompt()
            for command in [*kind.to('main'), 'set var what = SPIN']:
                terminal.command(command)
            for _ in range(2):
                terminal.type('continue\n')
                terminal.wait_for('Continuing.')
                terminal.type('\x03')
                terminal.wait_for('received signal SIGINT, Interrupt.')
                terminal.prompt()
                terminal.type('bt\n')
                terminal.wait_for('main () at ')
                terminal.prompt()
            terminal.type('continue &\n')
            terminal.prompt()
            terminal.type('interrupt\n')
            terminal.wait_for('received signal SIGINT, Interrupt.')
            terminal.prompt()
            terminal.type('kill\n')
            terminal.wait_for('(y or n)')
            terminal.type('y\n')
            terminal.wait_for('killed]')
        except Failure as failure:
            raise Failure(f'{kind.name}: {failure}') from None
        finally:
            kind.close()


def show(kinds, scenarios, table, reasons):
    width = max(len(scenario.name) for scenario in scenarios)
    print(' ' * width, *(f'{kind.name:>13}' for kind in kinds))
    for scenario in scenarios:
        print(f'{scenario.name:<{width}}', *(f'{table[kind, scenario]:>13}' for kind in kinds))
    for reason, names in sorted(reasons.items()):
        print(f'{reason}: {", ".join(names)}')


if __name__ == '__main__':
    sys.exit(main(sys.modules[__name__]))
