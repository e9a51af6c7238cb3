#!/usr/bin/env python3
"""Programs at the prompt: what is said of starts, stops and ends is what gdb says, and terminals are shared in peace."""

import os
import pathlib
import re
import signal
import subprocess
import sys

from harness import BUILD, PROMPT, Failure, equal, holds, main

PROGRAM = BUILD / 'tests/cli/cli-subject'
# What one of the two says and the other does not: gdb's library for threads, numbers of processes.
NOISE = re.compile(r'\[Thread debugging using libthread_db enabled\]\n|Using host libthread_db library "[^"]*"\.\n|'
                   r'Reading symbols from .*\n')


def plain(text):
    """Without what differs from run to run and from debugger to debugger."""
    text = NOISE.sub('', text)
    text = re.sub(r'\(gdb\) |\(trapline\) ', '', text)
    text = re.sub(r'process \d+', 'process N', text)
    text = re.sub(r'LWP \d+', 'LWP N', text)
    return re.sub(r'0x7ff[0-9a-f]{9}', '0xSTACK', text)


def same_as_gdb(place, commands, program=PROGRAM, width=True):
    """Both debuggers do the same; their output, line for line."""
    text = ''.join(command + '\n' for command in commands)
    ours = place.run('-q', '-nx', '-ex', 'set width 0', program, text=text)
    theirs = subprocess.run(['gdb', '-q', '-nx', '-ex', 'set width 0', program], input=text, capture_output=True,
                            text=True, timeout=60, cwd=place.home, env={**os.environ, 'HOME': str(place.home)})
    equal(plain(ours.stdout).rstrip().splitlines(), plain(theirs.stdout).rstrip().splitlines(), ours.stderr)


def test_break_and_run_and_step_as_gdb_says(place):
    same_as_gdb(place, ['break add', 'run', 'backtrace', 'info breakpoints', 'next', 'next', 'finish', 'delete 1', 'next',
                        'step', 'kill'])


def test_a_signal_that_is_none_has_no_row(place):
    same_as_gdb(place, ['info signals SIGNONE', 'info signals 16', 'info signals 15', 'info signals SIGUSR1'])


def test_exits_as_gdb_says(place):
    same_as_gdb(place, ['run', 'run 3 < /dev/null', 'info breakpoints'])


def test_start_and_temporary_breakpoints_as_gdb_says(place):
    same_as_gdb(place, ['start', 'info breakpoints', 'tbreak add', 'continue', 'continue'])


def test_conditions_and_counts_as_gdb_says(place):
    same_as_gdb(place, ['break add if b == 2', 'info breakpoints', 'run', 'condition 1', 'ignore 1 1', 'info breakpoints',
                        'disable 1', 'info breakpoints', 'continue'])


def test_commands_of_points_as_gdb_says(place):
    same_as_gdb(place, ['break add', 'commands', 'silent', 'printf "b is %d\\n", b', 'continue', 'end', 'info breakpoints',
                        'run'])


def test_frames_and_variables_as_gdb_says(place):
    same_as_gdb(place, ['break add', 'run', 'info args', 'info locals', 'up', 'info locals', 'frame', 'down',
                        'frame 1', 'frame function add', 'bt 1', 'bt -1', 'bt full', 'up', 'up', 'down', 'down', 'down'])


def test_deep_stacks_as_gdb_says(place):
    same_as_gdb(place, ['set height 0', 'break add', 'run deep', 'backtrace', 'backtrace -3', 'frame 1000', 'up', 'kill'])


def test_values_as_gdb_says(place):
    same_as_gdb(place, ['break add', 'run', 'print a', 'print/x a + 255', 'print $', 'print $$2', 'output b', 'up',
                        'print p', 'print &p', 'print p.x = 7', 'print p', 'whatis p', 'ptype p', 'print words[1]',
                        'print *words@2', 'set var p.y = 9', 'print p.y', 'display p.x', 'info display', 'next', 'undisplay 1',
                        'next', 'x/2dw &p', 'x/s words[0]', 'x/4xb &p', 'print $rip', 'print nothing', 'call add(1, 2)'])


def test_events_as_gdb_says(place):
    same_as_gdb(place, ['break main', 'run', 'catch syscall', 'catch syscall write close', 'catch signal SIGALRM SIGUSR1',
                        'catch fork', 'catch load libfoo', 'catch throw', 'info breakpoints', 'delete 1',
                        'handle SIGUSR1 nostop noprint', 'info signals SIGUSR1', 'handle 14 stop', 'kill'])


def test_watchpoints_as_gdb_says(place):
    same_as_gdb(place, ['break add', 'run', 'watch sum', 'rwatch a', 'info breakpoints', 'delete 1', 'delete 3', 'continue',
                        'continue', 'info watchpoints', 'watch 5', 'watch nothing', 'kill'])


def test_watchpoints_begin_with_the_program_as_gdb_says(place):
    """Where a program is loaded is not where it was linked to, and the next one may have been compiled anew."""
    source, program = place.home / 'anew.c', place.home / 'anew'
    text = '#include <stdlib.h>\n%sint number;\nint main(void)\n{\n\tnumber = 5;\n\tnumber += 2;\n\texit(number);\n}\n'
    source.write_text(text % '')
    build = f'shell gcc -g -o {program} {source}'
    subprocess.run(build.split()[1:], check=True)
    commands = ['watch number', 'run', 'continue', 'kill', f'shell sed -i 1s/$/\\nlong\\ pad[9]={{1}}\\;/ {source}', build,
                'run', 'continue', 'continue']
    same_as_gdb(place, commands[:3] + ['run', 'continue', 'kill'], program=program)
    found = place.run('-q', '-nx', program, text=''.join(command + '\n' for command in commands)).stdout
    equal(found.count('New value = 7'), 2, found)
    equal(found.count('Old value = 0'), 2, found)


def test_a_programs_variable_hides_those_of_a_librarys_files_as_gdb_says(place):
    files = {'main.c': 'int name = 42;\nint hidden(void);\nvoid here(void);\nint main(void)\n{\n\there();\n\treturn hidden();\n}\n',
             'here.c': 'void here(void);\nvoid here(void)\n{\n}\n',
             'hidden.c': 'static int name = 7, own = 8;\nint hidden(void);\nint hidden(void)\n{\n\treturn name++ + own++;\n}\n'}
    for name, text in files.items():
        (place.home / name).write_text(text)
    for command in ('gcc -g -fPIC -shared -o libown.so here.c hidden.c', 'gcc -g -o main main.c -L. -lown -Wl,-rpath,$ORIGIN'):
        subprocess.run(command.split(), check=True, cwd=place.home)
    same_as_gdb(place, ['break here', 'run', 'print name', 'print own', 'break hidden', 'continue', 'print name', 'kill'],
                program=place.home / 'main')


def test_watchpoints_of_frames_end_with_the_process_as_gdb_says(place):
    same_as_gdb(place, ['break add', 'run', 'watch sum', 'kill', 'info watchpoints', 'delete 1', 'run'])


def test_dprintf_as_gdb_says(place):
    same_as_gdb(place, ['dprintf add,"a is %d, b is %#x\\n",a,b', 'info breakpoints', 'run'])


def test_return_as_gdb_says(place):
    same_as_gdb(place, ['break add', 'run', 'return 40 + 2', 'next', 'print total', 'kill'])


def test_a_core_is_kept_and_looked_at(place):
    core = place.home / 'kept.core'
    ours = place.run('-q', '-nx', PROGRAM, text=f'break add\nrun\ngcore {core}\nkill\n')
    holds(ours.stdout, f'Saved corefile {core}')
    again = place.run('-q', '-nx', 'core', core, PROGRAM, text='backtrace\n')
    holds(again.stdout, 'add (a=0, b=0)')


def test_a_call_that_stops_inside_returns_to_where_it_was_made(place):
    ours = place.run('-q', '-nx', PROGRAM, text='break main\nrun\nbreak add\nprint add(1, 2)\ncontinue\nbacktrace\ndelete\n'
                     'print add(20, 22)\ncontinue\n')
    holds(ours.stderr, 'stopped while in a function called from Trapline')
    holds(ours.stdout, '#0  main (argc=1')
    holds(ours.stdout, '$1 = 42')
    holds(ours.stdout, 'exited normally')


def test_signals_as_gdb_says(place):
    same_as_gdb(place, ['run fault', 'info program', 'continue', 'info program'])


def test_until_and_advance_as_gdb_says(place):
    same_as_gdb(place, ['break main', 'run', 'next', 'next', 'advance add', 'finish', 'until', 'stepi', 'nexti', 'kill'])


def test_lists_as_gdb_says(place):
    same_as_gdb(place, ['list', 'list', 'list -', 'list 20', 'list add', 'list 3,5', 'list 300', 'list subject.c:6', 'list 5,',
                        'list ,9', 'break add', 'run', 'list', 'list', 'up', 'list', 'info line add', 'kill'])


def test_memory_and_registers_as_gdb_says(place):
    same_as_gdb(place, ['break add', 'run', 'info registers rip', 'x/4xb &turns', 'x/3uh &b', 'x/2dg &turns', 'x/2tw &turns',
                        'x/3o &a', 'x/2a $sp', 'x/3c &b', 'x', 'kill'])


def test_threads_as_gdb_says(place):
    same_as_gdb(place, ['break add', 'run', 'info threads', 'thread', 'up', 'thread 1', 'thread apply all bt',
                        'thread apply 1 print a', 'thread find subject', 'kill'])


def test_a_stop_in_another_thread_as_gdb_says(place):
    same_as_gdb(place, ['break in_thread', 'run thread', 'thread', 'backtrace 1', 'print number', 'delete', 'kill'])


def test_steps_without_lines_as_gdb_says(place):
    bare = place.home / 'bare'
    subprocess.run(['strip', '--strip-debug', '-o', bare, PROGRAM], check=True)
    same_as_gdb(place, ['break add', 'run', 'next', 'kill'], program=bare)
    same_as_gdb(place, ['break main', 'run', 'next', 'kill'], program=bare)


def test_formats_and_displays_as_gdb_says(place):
    same_as_gdb(place, ['break add', 'run', 'print /x a', 'output /c 65', 'display /x b', 'display sum', 'display nosuch',
                        'display sum +', 'info display', 'next'])


def test_levels_of_deep_stacks_as_gdb_says(place):
    same_as_gdb(place, ['break add', 'run deep', 'bt -2'])


def test_environment_and_folder(place):
    result = place.run('-q', '-nx', text='set environment WORD = a b\nshow environment WORD\nset startup-with-shell off\n'
                       'set args -c "echo $WORD; pwd"\nset cwd /usr\nfile /bin/sh\nrun\nunset environment WORD\n'
                       'show environment WORD\n')
    holds(result.stdout, 'WORD = a b\n')
    holds(result.stdout, '\na b\n/usr\n[Inferior 1 (process')
    holds(result.stdout, 'Environment variable "WORD" not defined.\n')


# ---- At a terminal ----

def debug(place, *arguments, **options):
    terminal = place.terminal('-q', '-nx', *arguments, PROGRAM, **options)
    terminal.prompt()
    return terminal


def test_a_program_reads_its_terminal_and_its_output_comes_in_order(place):
    terminal = debug(place)
    terminal.type('run read\n')
    terminal.wait_for(lambda screen: screen.cursor_line() == 'what? ')
    terminal.type('an answer\n')
    terminal.wait_for('what? an answer\nit was: an answer\ntotal 3 one\n[Inferior 1 (process')
    terminal.wait_for('exited normally]')
    terminal.prompt()


def test_ctrl_c_stops_a_program_that_has_the_terminal(place):
    terminal = debug(place)
    terminal.type('run spin\n')
    terminal.wait_for('spinning')
    terminal.type('\x03')
    terminal.wait_for('Program received signal SIGINT, Interrupt.')
    terminal.prompt()
    terminal.type('print sizeof turns\n')
    terminal.wait_for('$1 = 8')
    terminal.prompt()
    terminal.type('continue\n')
    terminal.wait_for('Continuing.')
    terminal.type('\x03')
    terminal.wait_for('Program received signal SIGINT, Interrupt.')
    terminal.prompt()


def test_the_prompt_answers_while_the_program_runs(place):
    terminal = debug(place)
    terminal.type('run spin &\n')
    terminal.wait_for('spinning')
    terminal.type('echo here\\n\n')
    terminal.wait_for('\nhere\n')
    terminal.type('interrupt\n')
    terminal.wait_for('received signal SIGINT')
    terminal.prompt()


def test_output_leaves_a_half_typed_line_intact(place):
    terminal = debug(place)
    terminal.type('run slow &\n')
    terminal.wait_for('tick 0')
    terminal.type('echo half')
    terminal.wait_for('tick 3')
    terminal.wait_line(PROMPT + 'echo half')
    terminal.type(' a line\\n\n')
    terminal.wait_for('\nhalf a line\n')


def test_a_stop_in_the_background_leaves_a_half_typed_line_intact(place):
    terminal = debug(place)
    terminal.command('break ticked if tick == 4')
    terminal.type('run slow &\n')
    terminal.wait_for('tick 0')
    terminal.type('echo half')
    terminal.wait_for('Breakpoint 1, ticked (tick=4)')
    terminal.wait_line(PROMPT + 'echo half')
    terminal.type('\x03')
    terminal.prompt()
    holds(terminal.command('print tick'), '= 4')


def test_the_program_knows_the_size_of_the_window(place):
    terminal = debug(place, rows=30, columns=90)
    terminal.type('run size\n')
    terminal.wait_for('30 rows, 90 columns')
    terminal.resize(40, 100)
    terminal.wait_for('40 rows, 100 columns')
    terminal.type('q\n')
    terminal.prompt()


def test_quitting_asks_where_a_program_would_be_lost(place):
    terminal = debug(place)
    terminal.type('start\n')
    terminal.wait_for('Temporary breakpoint 1, main')
    terminal.prompt()
    terminal.type('\x04')
    terminal.wait_for('A debugging session is active.')
    terminal.wait_for('will be killed.')
    terminal.wait_for('Quit anyway? (y or n)')
    terminal.type('n\n')
    terminal.wait_for('Not confirmed.')
    terminal.prompt()
    terminal.type('quit\n')
    terminal.wait_for('Quit anyway? (y or n)')
    terminal.type('y\n')
    equal(terminal.end(), 0)


def test_names_are_completed(place):
    terminal = debug(place)
    terminal.type('break tick\t')
    terminal.wait_line(PROMPT + 'break ticked ')
    terminal.type('\x15start\n')
    terminal.wait_for('Temporary breakpoint 1, main')
    terminal.prompt()
    terminal.type('print words_in_\t')
    terminal.wait_line(PROMPT + 'print words_in_main ')
    terminal.type('\x15print p.long_\t')
    terminal.wait_line(PROMPT + 'print p.long_name ')


def test_attach_and_detach(place):
    victim = subprocess.Popen([PROGRAM, 'spin'], stdout=subprocess.PIPE)
    try:
        victim.stdout.readline()
        result = place.run('-q', '-nx', '-batch', '-ex', f'attach {victim.pid}', '-ex', 'print sizeof turns + (turns == 0) * 0', '-ex', 'detach')
        holds(result.stdout, '$1 = 8\n')
        holds(result.stdout, f'[Inferior 1 (process {victim.pid}) detached]\n')
        equal(victim.poll(), None)
    finally:
        victim.kill()
        victim.wait()


def test_an_attach_that_was_given_up_is_over(place):
    """Its process is named as it goes, and what is run next stops where it is to stop."""
    for command, word in (('kill', 'killed'), ('detach', 'detached')):
        victim = subprocess.Popen([PROGRAM, 'spin'], stdout=subprocess.PIPE)
        try:
            victim.stdout.readline()
            result = place.run('-q', '-nx', '-batch', '-ex', f'attach {victim.pid} &', '-ex', command, '-ex', f'file {PROGRAM}',
                               '-ex', 'break main', '-ex', 'run spin')
            holds(result.stdout, f'[Inferior 1 (process {victim.pid}) {word}]\n')
            holds(result.stdout, '\nBreakpoint 1, main (')
        finally:
            victim.kill()
            victim.wait()


def test_an_inferior_is_named_by_its_number_as_it_goes(place):
    for command, word in (('kill', 'killed'), ('detach', 'detached')):
        result = place.run('-q', '-nx', '-batch', '-ex', f'add-inferior -exec {PROGRAM}', '-ex', 'inferior 2', '-ex', 'break main',
                           '-ex', 'run', '-ex', command)
        holds(result.stdout, '[Inferior 2 (process ')
        holds(result.stdout, f') {word}]\n')


def test_a_type_that_leads_back_to_itself_ends(place):
    source, code, program = place.home / 'circle.c', place.home / 'circle.s', place.home / 'circle'
    source.write_text('typedef int circle;\ncircle turn(void)\n{\n\treturn 3;\n}\nint main(void)\n{\n\treturn turn();\n}\n')
    subprocess.run(['gcc', '-g', '-dA', '-S', '-o', code, source], check=True)
    text, count = re.subn(r'(DIE \((0x\w+)\) DW_TAG_typedef\).*?\.long\s+)0x\w+(\s+# DW_AT_type)', r'\1\2\3', code.read_text(), flags=re.S)
    equal(count, 1)
    code.write_text(text)
    subprocess.run(['gcc', '-o', program, code], check=True)
    result = place.run('-q', '-nx', '-batch', '-ex', 'break turn', '-ex', 'run', '-ex', 'info types circle', '-ex', 'finish', program)
    holds(result.stdout, 'main () at')


def test_a_program_whose_file_is_gone_forks(place):
    source, program = place.home / 'gone.c', place.home / 'gone'
    source.write_text('#include <unistd.h>\n#include <sys/wait.h>\n'
                      'int main(int count, char **words)\n{\n\tunlink(words[count - 1]);\n'
                      '\tif (fork() == 0)\n\t\t_exit(4);\n\twait(0);\n\treturn 5;\n}\n')
    for option, end in (('follow-fork-mode child', 'exited with code 04]'), ('detach-on-fork off', 'exited with code 05]')):
        subprocess.run(['gcc', '-g', '-o', program, source], check=True)
        result = place.run('-q', '-nx', '-batch', '-ex', f'set {option}', '-ex', 'set schedule-multiple on', '-ex', 'run', '-ex', 'inferior 1',
                           '-ex', 'continue', program)
        equal('cannot open' in result.stdout + result.stderr, False, result.stdout + result.stderr)
        holds(result.stdout, end)


def test_a_core_dump_is_looked_at(place):
    core = place.home / 'core'
    subprocess.run(['gdb', '-q', '-nx', '-batch', '-ex', 'run fault', '-ex', f'gcore {core}', PROGRAM], cwd=place.home,
                   capture_output=True, timeout=60, check=True)
    for arguments in (['-c', core, PROGRAM], ['core', core, PROGRAM], ['core', core]):
        result = place.run('-q', '-nx', *arguments, text='bt\nup\nprint p.y\ncontinue\n')
        holds(result.stdout, 'Program terminated with signal SIGSEGV, Segmentation fault.\n#0  ')
        holds(result.stdout, '\t\treturn *nowhere;\n')
        holds(result.stdout, '$1 = 2\n')
        equal(result.stderr.count('\n'), 1, result.stderr)


def test_errors_without_a_program(place):
    result = place.run('-q', '-nx', text='run\ncontinue\nbacktrace\nfinish\ninfo locals\nbreak main\nprint x\n')
    for part in ('No executable file specified.', 'The program is not being run.', 'No stack.'):
        holds(result.stderr, part)

def test_what_may_follow_is_completed(place):
    lines = ['thread 1', 'thread apply 1', 'thread apply a', 'thread apply all backt', 'thread apply 1 -q print a', 'delete 1', 'disable 2',
             'condition 1 su', 'info registers ri', 'handle SIGUS', 'catch signal SIGSEG', 'catch syscall openat', 'break subj',
             'info signals SIGHU', 'frame apply lev', 'until ad', 'watch tur', 'layout sp', 'focus s', 'tui reg gen']
    text = 'break add\nbreak spin\nrun\n' + ''.join(f'echo <{line}>\\n\ncomplete {line}\n' for line in lines)
    shown = place.run('-q', '-nx', PROGRAM, text=text).stdout
    for line, found in (('thread 1', ['1']), ('thread apply 1', ['1']), ('thread apply a', ['all']),
                        ('thread apply all backt', ['backtrace']), ('thread apply 1 -q print a', ['a', 'add']),
                        ('delete 1', ['1']), ('disable 2', ['2']), ('condition 1 su', ['sum']),
                        ('info registers ri', ['rip']), ('handle SIGUS', ['SIGUSR1', 'SIGUSR2']),
                        ('catch signal SIGSEG', ['SIGSEGV']), ('catch syscall openat', ['openat', 'openat2']),
                        ('break subj', ['subject.c']), ('info signals SIGHU', ['SIGHUP']), ('frame apply lev', ['level']),
                        ('until ad', ['add']), ('watch tur', ['turns']), ('layout sp', ['split']), ('focus s', ['src']),
                        ('tui reg gen', ['general'])):
        offered = shown.split(f'<{line}>')[1].split('<')[0].replace('(trapline) ', '').splitlines()
        front = line[:line.rindex(' ') + 1]
        for word in found:
            if front + word not in offered:
                raise Failure(f'{front + word!r} is not offered behind {line!r}: {offered}')


def test_registers_are_those_of_gdb(place):
    def names(text):
        return [line.split()[0] for line in text.splitlines() if re.match(r'[a-z][a-z0-9_]* +0x', line)]

    theirs = names(subprocess.run(['gdb', '-q', '-nx', '--batch', '-ex', 'starti', '-ex', 'info registers', PROGRAM],
                                  capture_output=True, text=True, timeout=60).stdout)
    ours = names(place.run('-q', '-nx', '--batch', '-ex', 'starti', '-ex', 'info registers', PROGRAM).stdout)
    # gdb has the bases of segments only where it was told of them.
    equal([name for name in ours if name not in ('fs_base', 'gs_base')],
          [name for name in theirs if name not in ('fs_base', 'gs_base')])


if __name__ == '__main__':
    sys.exit(main(sys.modules[__name__]))
