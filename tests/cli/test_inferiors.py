#!/usr/bin/env python3
"""Several programs at once: what is said of them is what gdb says, and what one does leaves the others as they are."""

import os
import re
import subprocess
import sys

from harness import BUILD, equal, holds, main
from test_debugging import NOISE

FORKS = BUILD / 'tests/cli/cli-forks'
SUBJECT = BUILD / 'tests/cli/cli-subject'


def plain(text):
    """Without what differs from run to run and from debugger to debugger, and what programs say when nobody waits for
    them; columns are as wide as numbers are long."""
    text = NOISE.sub('', text)
    text = re.sub(r'\(gdb\) |\(trapline\) ', '', text)
    text = re.sub(r'\(Where is .*\n|child: \d+\n|done\n|total .*\n', '', text)
    text = re.sub(r'process \d+|child=\d+|LWP \d+', lambda found: re.sub(r'\d+', 'N', found[0]), text)
    text = re.sub(r'0x7ff[0-9a-f]{9}', '0xSTACK', text)
    return re.sub(r' +', ' ', text)


def debug(place, commands, program=FORKS):
    return place.run('-q', '-nx', '-ex', 'set width 0', '-ex', 'set confirm off', program,
                     text=''.join(command + '\n' for command in commands))


def same_as_gdb(place, commands, program=FORKS):
    """Both debuggers do the same; their output, line for line."""
    text = ''.join(command + '\n' for command in commands)
    ours = debug(place, commands, program)
    theirs = subprocess.run(['gdb', '-q', '-nx', '-ex', 'set width 0', '-ex', 'set confirm off', program], input=text,
                            capture_output=True, text=True, timeout=60, cwd=place.home,
                            env={**os.environ, 'HOME': str(place.home)})
    equal(plain(ours.stdout).rstrip().splitlines(), plain(theirs.stdout).rstrip().splitlines(), ours.stderr)


# ---- Lists ----


def test_adding_and_removing_as_gdb_says(place):
    same_as_gdb(place, ['info inferiors', 'add-inferior', f'add-inferior -exec {SUBJECT}',
                        'add-inferior -copies 2 -no-connection', 'info inferiors', 'inferior 2', 'inferior', 'info threads',
                        'inferior 1', 'clone-inferior', 'clone-inferior -copies 2 1', 'remove-inferiors 4 5',
                        'remove-inferiors 1', 'remove-inferiors 99', 'remove-inferiors', 'info inferiors', 'info inferiors 2',
                        'info inferiors 3-6', 'info inferiors 77', 'print $_inferior', 'print $_thread', 'print $_gthread'])


def test_errors_as_gdb_says(place):
    commands = ['inferior 77', 'inferior 0', f'add-inferior -exec {place.home}/nothing', 'add-inferior -exec',
                'clone-inferior 77', 'kill inferiors', 'kill inferiors 1', 'kill inferiors 77', 'detach inferiors',
                'detach inferiors 1', 'remove-inferiors 1', 'remove-inferiors 99', 'remove-inferiors', 'thread 1.1',
                'thread 3.1', 'thread foo', 'thread', 'info inferiors foo']
    ours = debug(place, commands)
    theirs = subprocess.run(['gdb', '-q', '-nx', '-ex', 'set confirm off', FORKS], capture_output=True, text=True,
                            input=''.join(command + '\n' for command in commands), timeout=60, cwd=place.home,
                            env={**os.environ, 'HOME': str(place.home)})
    equal(ours.stderr.splitlines(), theirs.stderr.splitlines(), ours.stdout)


def test_each_has_its_own_arguments_and_folder(place):
    ours = debug(place, ['set args one', 'set cwd /tmp', 'add-inferior', 'clone-inferior', 'inferior 2', 'show args',
                         'set args two', 'inferior 3', 'show args', 'show cwd', 'inferior 1', 'show args', 'inferior 2',
                         'show args', 'inferior 1', 'remove-inferiors 2', 'show args'])
    equal(re.findall(r'started is "(.*)"', ours.stdout), ['', 'one', 'one', 'two', 'one'], ours.stderr)
    holds(ours.stdout, 'starting the inferior is "/tmp"')


# ---- Two programs ----


def test_two_programs_as_gdb_says(place):
    same_as_gdb(place, ['break main', 'run fork', 'info breakpoints', f'add-inferior -exec {SUBJECT}', 'inferior 2',
                        'info breakpoints', 'run', 'info inferiors', 'info threads', 'info breakpoints', 'thread 1.1',
                        'print $_inferior', 'print $_thread', 'print $_gthread', 'thread', 'backtrace', 'inferior 1',
                        'inferior 2', 'break add', 'info breakpoints', 'continue', 'info threads 2.*', 'info threads 1.*',
                        'info threads 2', 'info threads 1.1 2.1', 'info threads -gid', 'info threads 1.7',
                        'thread apply 1.1 2.1 print $_inferior', 'thread apply 2.* print 1', 'thread apply all print 2',
                        'thread apply 1.1-2 print 3', 'thread apply all -ascending print 2', 'continue', 'continue',
                        'continue', 'info inferiors', 'info threads', 'inferior 1', 'next', 'next', 'info inferiors'])


def test_ending_one_leaves_the_other_as_gdb_says(place):
    same_as_gdb(place, ['break waits', 'run wait', f'add-inferior -exec {SUBJECT}', 'inferior 2', 'break add', 'run',
                        'remove-inferiors 1', 'kill inferiors 1', 'info inferiors', 'print a', 'remove-inferiors 1',
                        'info inferiors', 'detach inferiors 2', 'info inferiors'])


def test_all_run_with_schedule_multiple_as_gdb_says(place):
    same_as_gdb(place, ['show schedule-multiple', 'break waits', 'run wait', f'add-inferior -exec {SUBJECT}', 'inferior 2',
                        'break add', 'run', 'set schedule-multiple on', 'show schedule-multiple', 'continue',
                        'info threads 2.1', 'continue', 'info inferiors', 'continue', 'info inferiors', 'kill inferiors 1'])


def test_points_of_one_are_not_the_others(place):
    """The same address is another function in the other program: nobody stops there for the wrong one's sake."""
    ours = debug(place, [f'add-inferior -exec {SUBJECT}', 'break in_parent', 'start', 'inferior 2', 'break main', 'run',
                         'watch turns', 'info breakpoints', 'delete 3', 'continue', 'inferior 1', 'run fork', 'info breakpoints'])
    holds(ours.stdout, '[Inferior 2 (process')
    holds(ours.stdout, 'turns inf 2')
    holds(ours.stdout, 'in_parent (child=')


def test_threads_of_points_are_named_as_gdb_does(place):
    same_as_gdb(place, ['break main', 'run', 'add-inferior', 'break in_child thread 1.1', 'info breakpoints',
                        'delete 2'])
    ours = debug(place, ['break main', 'run', 'add-inferior', 'break in_child thread 1.7', 'break in_child thread 3.1'])
    holds(ours.stderr, 'Unknown thread 1.7.')
    holds(ours.stderr, "No inferior number '3'")


# ---- Forks ----


def test_both_sides_of_a_fork_as_gdb_says(place):
    same_as_gdb(place, ['set detach-on-fork off', 'break in_child', 'break in_parent', 'run fork', 'info inferiors',
                        'info threads', 'info breakpoints', 'inferior 2', 'continue', 'print rounds', 'thread 1.1',
                        'print rounds', 'next', 'info inferiors', 'inferior 2', 'print rounds = 70', 'continue',
                        'info inferiors', 'info threads', 'inferior 1', 'print rounds', 'continue', 'info inferiors'])


def test_a_child_is_followed_as_gdb_says(place):
    same_as_gdb(place, ['set follow-fork-mode child', 'break in_child', 'break in_parent', 'run fork', 'info inferiors',
                        'info threads', 'backtrace', 'info breakpoints'])


def test_a_child_is_followed_and_the_parent_kept_as_gdb_says(place):
    same_as_gdb(place, ['set follow-fork-mode child', 'set detach-on-fork off', 'break in_child', 'break in_parent',
                        'run fork', 'info inferiors', 'info threads', 'backtrace', 'continue', 'info inferiors', 'inferior 1',
                        'continue', 'continue', 'info inferiors'])


def test_a_caught_fork_is_followed_when_the_program_goes_on(place):
    same_as_gdb(place, ['catch fork', 'break in_child', 'run fork', 'set follow-fork-mode child', 'info threads', 'continue',
                        'info inferiors'])


def test_a_step_goes_on_in_the_child_as_gdb_says(place):
    same_as_gdb(place, ['break forks', 'run fork', 'set follow-fork-mode child', 'next', 'info inferiors', 'print child'])


def test_watchpoints_go_with_the_child(place):
    ours = debug(place, ['break forks', 'run fork', 'watch rounds', 'set follow-fork-mode child', 'continue', 'info inferiors'])
    holds(ours.stdout, 'Thread 2.1 "cli-forks" hit Hardware watchpoint 2: rounds\n\nOld value = 0\nNew value = 10\n')


def test_a_parent_over_vfork_is_let_go_when_the_child_has_memory_of_its_own(place):
    ours = debug(place, ['set follow-fork-mode child', f'run vfork {SUBJECT}', 'info inferiors'])
    said = re.findall(r'\[(?:Attaching|New|Detaching|Inferior).*\]|is executing.*', plain(ours.stdout))
    equal(said, ['[Attaching after Thread 0xSTACK (LWP N) vfork to child process N]', '[New inferior 2 (process N)]',
                 '[Detaching vfork parent process N after child exec]', '[Inferior 1 (process N) detached]',
                 f'is executing new program: {SUBJECT}', '[Inferior 2 (process N) exited normally]'], ours.stderr)


def test_a_vforked_child_cannot_be_held_alone(place):
    ours = debug(place, ['set detach-on-fork off', f'run vfork {SUBJECT}', 'info inferiors', 'set schedule-multiple on',
                         'continue', 'info inferiors'])
    holds(ours.stdout + ours.stderr, 'Try "set detach-on-fork" or "set schedule-multiple".')
    holds(ours.stdout, '[New inferior 2 (process')


# ---- Other programs ----


def test_another_program_as_gdb_says(place):
    same_as_gdb(place, ['break main', f'run exec {SUBJECT}', 'continue', 'info inferiors', 'info breakpoints', 'continue',
                        'info inferiors'])


def test_another_program_as_one_more_as_gdb_says(place):
    same_as_gdb(place, ['show follow-exec-mode', 'set follow-exec-mode new', 'show follow-exec-mode', 'break main',
                        f'run exec {SUBJECT}', 'continue', 'info inferiors', 'info threads', 'info breakpoints', 'continue',
                        'info inferiors', 'inferior 1', 'run', 'continue', 'info inferiors', 'kill'])


# ---- In the background ----


def test_one_runs_while_another_is_started_and_stepped(place):
    ours = debug(place, [f'add-inferior -exec {SUBJECT}', 'run wait &', 'inferior 2', 'break add', 'run', 'info inferiors',
                         'inferior 1', 'continue &', 'info threads 1.1', 'inferior 2', 'delete', 'next', 'info threads 1.1',
                         'inferior 1', 'continue &', 'inferior 2', 'continue', 'info inferiors'])
    holds(ours.stdout, 'Thread 2.1 "cli-subject" hit Breakpoint 1, add (a=0, b=0)')
    holds(plain(ours.stdout), '"cli-forks" (running)')
    holds(ours.stdout, 'return sum;')
    holds(ours.stdout, '[Inferior 2 (process')
    equal(len(re.findall(r'  1    process \d+', ours.stdout)), 2, ours.stdout + ours.stderr)


def test_killing_one_lets_the_other_run_on(place):
    ours = debug(place, [f'add-inferior -exec {SUBJECT}', 'inferior 2', 'break add', 'run', 'inferior 1', 'run wait &',
                         'kill inferiors 2', 'info threads', 'info inferiors'])
    holds(plain(ours.stdout), 'process N "cli-forks" (running)')
    holds(plain(ours.stdout), ' 2 <null> ')


def test_each_terminal_is_its_programs_own(place):
    terminal = place.terminal('-q', '-nx', SUBJECT)
    terminal.prompt()
    terminal.command('set args read')
    terminal.command('clone-inferior')
    terminal.type('run\n')
    terminal.wait_for('what?')
    terminal.type('\x03')
    terminal.wait_for('received signal SIGINT')
    terminal.prompt()
    terminal.command('inferior 2')
    terminal.type('run\n')
    terminal.wait_for('what?')
    terminal.type('two\n')
    terminal.wait_for('it was: two')
    terminal.prompt()
    terminal.command('inferior 1')
    terminal.type('continue\n')
    terminal.wait_for('Continuing.')
    terminal.type('one\n')
    terminal.wait_for('it was: one')
    terminal.wait_for('[Inferior 1 (process')
    terminal.prompt()


def test_all_are_named_before_the_end(place):
    terminal = place.terminal('-q', '-nx', FORKS)
    terminal.prompt()
    terminal.command('set detach-on-fork off')
    terminal.command('break in_parent')
    terminal.command('run fork')
    terminal.type('quit\n')
    terminal.wait_for('Inferior 1 [process ')
    terminal.wait_for('Inferior 2 [process ')
    terminal.wait_for('Quit anyway? (y or n)')
    terminal.type('y\n')
    equal(terminal.end(), 0)


if __name__ == '__main__':
    sys.exit(main(sys.modules[__name__]))
