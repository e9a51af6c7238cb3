#!/usr/bin/env python3
"""The prompt without a program: keys, lines, completion, history, pages, files of commands."""

import fcntl
import os
import select
import signal
import subprocess
import sys

from harness import PROMPT, TRAPLINE, Failure, environment, equal, holds, main


def test_the_prompt_answers_and_quits(place):
    terminal = place.terminal('-q')
    terminal.prompt()
    equal(terminal.command('echo hello\\n'), 'hello')
    terminal.type('quit 3\n')
    equal(terminal.end(), 3)


def test_nothing_is_lost_to_a_slow_reader_who_made_the_output_non_blocking(place):
    command = ['-q', '-nx', '-batch', *['-ex', 'info signals'] * 8]
    wanted = place.run(*command).stdout
    reading, writing = os.pipe()
    fcntl.fcntl(writing, fcntl.F_SETPIPE_SZ, 4096)
    os.set_blocking(writing, False)
    with subprocess.Popen([TRAPLINE, *command], stdout=writing, env=environment(place.home)):
        os.close(writing)
        # A pipe of one page takes one piece, and is full before the first byte is taken out of it.
        equal(select.select([reading], [], [], 30)[0], [reading])
        with os.fdopen(reading) as stream:
            equal(stream.read(), wanted)


LOOP = ['set $i = 0', 'while $i < 1000000000', 'if $i == 0', 'echo begun\\n', 'end', 'set $i = $i + 1', 'end']


def test_a_signal_ends_a_loop_of_commands_and_the_debugger(place):
    for number in (signal.SIGTERM, signal.SIGHUP):
        terminal = place.terminal('-q')
        terminal.prompt()
        terminal.type('\n'.join(LOOP) + '\n')
        terminal.wait_for('\nbegun')
        os.kill(terminal.pid, number)
        equal(terminal.end(), 128 + number)


def test_a_loop_of_commands_does_not_gather_memory(place):
    if any(name.endswith('SAN_OPTIONS') for name in os.environ):
        return  # the sanitizers keep what was given back
    ask = 'shell grep VmData /proc/$PPID/status'
    script = place.write('loop', '\n'.join([ask, 'set $i = 0', 'while $i < 200000', 'set $i = $i + 1', 'end', ask, '']))
    before, after = (int(line.split()[1]) for line in place.run('-batch', '-x', script).stdout.splitlines())
    equal(after - before < 8 << 10, True, f'{before} KiB, then {after} KiB')


def test_it_greets_unless_told_not_to(place):
    terminal = place.terminal()
    terminal.wait_for('Type "help" for help.')


def test_an_end_of_input_quits(place):
    terminal = place.terminal('-q')
    terminal.prompt()
    terminal.type('\x04')
    equal(terminal.end(), 0)
    holds(terminal.screen.text, 'quit')


def test_tab_completes_commands_and_their_words(place):
    terminal = place.terminal('-q')
    terminal.prompt()
    terminal.type('apr\t')
    terminal.wait_line(PROMPT + 'apropos ')
    terminal.type('\x15set pagi\t')
    terminal.wait_line(PROMPT + 'set pagination ')
    terminal.type('\x15set history f\t')
    terminal.wait_line(PROMPT + 'set history filename ')
    terminal.type('\x15help docu\t')
    terminal.wait_line(PROMPT + 'help document ')


def test_tab_lists_what_fits(place):
    terminal = place.terminal('-q')
    terminal.prompt()
    terminal.type('set print \t\t')
    terminal.wait_for('sevenbit-strings')
    terminal.wait_line(PROMPT + 'set print ')


def test_tab_completes_files(place):
    place.write('points here/one.txt', '')
    place.write('script-of-commands', '')
    place.write('folder/inside', '')
    terminal = place.terminal('-q')
    terminal.prompt()
    terminal.type('source scr\t')
    terminal.wait_line(PROMPT + 'source script-of-commands ')
    terminal.type('\x15source fol\tins\t')
    terminal.wait_line(PROMPT + 'source folder/inside ')
    terminal.type('\x15source ~/fol\t')
    terminal.wait_line(PROMPT + 'source ~/folder/')


def test_a_user_s_command_is_completed(place):
    place.write('c', 'define frobnicate\necho done\\n\nend\n')
    terminal = place.terminal('-q', '-x', 'c')
    terminal.prompt()
    terminal.type('frob\t')
    terminal.wait_line(PROMPT + 'frobnicate ')


def test_ctrl_c_clears_the_line(place):
    terminal = place.terminal('-q')
    terminal.prompt()
    terminal.type('echo wrong')
    terminal.wait_line(PROMPT + 'echo wrong')
    terminal.type('\x03')
    terminal.wait_for('echo wrong^C')
    terminal.prompt()
    equal(terminal.command('echo right\\n'), 'right')


def test_ctrl_c_ends_a_loop(place):
    terminal = place.terminal('-q')
    terminal.prompt()
    terminal.type('while 1\necho in the loop\\n\nend\n')
    terminal.wait_for('in the loop\nin the loop')
    terminal.type('\x03')
    terminal.wait_for('Quit')
    terminal.prompt()


def test_ctrl_c_leaves_a_definition(place):
    terminal = place.terminal('-q')
    terminal.prompt()
    terminal.type('define broken\n')
    terminal.wait_for('End with a line saying just "end".')
    terminal.wait_line('>')
    terminal.type('echo x\n')
    terminal.wait_for('>echo x')
    terminal.type('\x03')
    terminal.prompt()
    holds(terminal.command('broken'), 'Undefined command: "broken".')


def test_history_comes_back_in_the_next_session(place):
    first = place.terminal('-q')
    first.prompt()
    first.command('echo remembered\\n')
    first.type('quit\n')
    equal(first.end(), 0)
    kept = place.home / '.local/state/trapline/history'
    equal(kept.read_text(), 'echo remembered\\n\nquit\n')
    equal(kept.stat().st_mode & 0o777, 0o600)
    second = place.terminal('-q')
    second.prompt()
    second.type('\x1b[A\x1b[A')
    second.wait_line(PROMPT + 'echo remembered\\n')
    second.type('\x03')
    second.prompt()
    second.type('\x12remem')
    second.wait_line("(reverse-i-search)`remem': echo remembered\\n")
    second.type('\n')
    second.wait_for('\nremembered')
    second.prompt()
    holds(second.command('show commands'), '    1  echo remembered\\n')


def test_history_is_cut_to_its_size(place):
    kept = place.write('kept', ''.join(f'echo {i}\n' for i in range(50)))
    terminal = place.terminal('-q', '-iex', f'set history filename {kept}', '-iex', 'set history size 10')
    terminal.prompt()
    terminal.command('echo last\\n')
    terminal.type('quit\n')
    terminal.end()
    lines = kept.read_text().splitlines()
    equal(len(lines), 10)
    equal(lines[-2:], ['echo last\\n', 'quit'])


def test_an_empty_line_repeats_nothing_that_must_not(place):
    terminal = place.terminal('-q')
    terminal.prompt()
    terminal.command('echo once\\n')
    terminal.type('\n')
    terminal.wait_for(lambda screen: screen.visible().count(PROMPT.strip()) == 2)
    equal(terminal.screen.text.count('once'), 2)  # typed and printed


def test_a_resized_window_redraws_the_line(place):
    terminal = place.terminal('-q', columns=60)
    terminal.prompt()
    text = 'echo ' + 'a' * 70 + 'z'
    terminal.type(text)
    terminal.wait_for(lambda screen: screen.cursor_line().endswith('z'))
    terminal.resize(24, 120)
    terminal.wait_line(PROMPT + text)
    terminal.type('\x03')
    terminal.prompt()
    equal(terminal.command('show width'), 'Number of characters Trapline thinks are in a line is 120.')


def test_pages(place):
    terminal = place.terminal('-q', rows=10)
    terminal.prompt()
    terminal.type('help all\n')
    terminal.wait_for('--Type <RET> for more, q to quit, c to continue without paging--')
    equal(len(terminal.screen.visible()), 10)
    terminal.type('\n')
    terminal.wait_for('--Type <RET> for more')
    terminal.type('q\n')
    terminal.wait_for('paging--q')
    terminal.prompt()
    terminal.type('help all\n')
    terminal.wait_for('--Type <RET> for more')
    terminal.type('c\n')
    terminal.prompt()
    holds(terminal.screen.whole(), 'set width -- Set')
    terminal.command('set height 0')
    terminal.type('help all\n')
    terminal.prompt()
    equal(terminal.screen.text.count('--Type <RET> for more'), 3)


def test_a_paste_of_several_lines_is_several_commands(place):
    terminal = place.terminal('-q')
    terminal.prompt()
    terminal.type('\x1b[200~echo one\\n\necho two\\n\n\x1b[201~')
    terminal.type('\n')
    terminal.wait_for('\none\n')
    terminal.wait_for('\ntwo\n')
    terminal.prompt()


def test_typed_ahead_is_not_lost(place):
    terminal = place.terminal('-q')
    terminal.type('echo first\\n\necho second\\n\necho third\\n\n')
    for word in ('first', 'second', 'third'):
        terminal.wait_for('\n' + word + '\n')


def test_colours_only_where_they_are_wanted(place):
    terminal = place.terminal('-q')
    terminal.prompt()
    terminal.command('help support')
    holds(terminal.raw.decode(), '\x1b[1m')
    plain = place.terminal('-q', NO_COLOR='1')
    plain.prompt()
    plain.command('help support')
    equal('\x1b[1m' in plain.raw.decode(), False)
    equal('\x1b' in place.run('-q', text='help support\n').stdout, False)


def test_a_terminal_that_goes_away_ends_it(place):
    terminal = place.terminal('-q')
    terminal.prompt()
    os.kill(terminal.pid, signal.SIGHUP)
    equal(terminal.end(), 128 + signal.SIGHUP)


def test_stopped_and_continued(place):
    terminal = place.terminal('-q')
    terminal.prompt()
    terminal.type('echo hal')
    terminal.wait_line(PROMPT + 'echo hal')
    os.kill(terminal.pid, signal.SIGTSTP)
    os.waitpid(terminal.pid, os.WUNTRACED)
    os.kill(terminal.pid, signal.SIGCONT)
    terminal.type('f\\n\n')
    terminal.wait_for('\nhalf\n')


def test_the_shell_and_its_status(place):
    terminal = place.terminal('-q')
    terminal.prompt()
    equal(terminal.command('shell echo from the shell; exit 3'), 'from the shell')
    equal(terminal.command('printf "%d\\n", $_shell_exitcode'), '3')
    equal(terminal.command('!echo again'), 'again')
    terminal.type('shell echo ready; cat\n')
    terminal.wait_for('\nready\n')
    terminal.type('to the cat\n')
    terminal.wait_for('to the cat\nto the cat')
    terminal.type('\x03')
    terminal.prompt()
    equal(terminal.command('echo still here\\n'), 'still here')


def test_questions_want_an_answer(place):
    terminal = place.terminal('-q')
    terminal.prompt()
    terminal.type('define echo\n')
    terminal.wait_for('Really redefine built-in command "echo"? (y or n)')
    terminal.type('maybe\n')
    terminal.wait_for('Please answer y or n.')
    terminal.type('n\n')
    terminal.wait_for('Command "echo" not redefined.')
    terminal.prompt()


# ---- Through pipes ----

def test_a_pipe_gives_commands(place):
    result = place.run('-q', text='echo hi\\n\nshow confirm\nprint-nothing\nquit 4\n')
    equal(result.returncode, 4)
    equal(result.stdout, PROMPT + 'hi\n' + PROMPT + 'Whether to confirm potentially dangerous operations is on.\n' +
          PROMPT * 2)
    equal(result.stderr, 'Undefined command: "print-nothing".  Try "help".\n')


def test_the_end_of_a_pipe_ends_it(place):
    result = place.run('-q', text='echo hi\\n')
    equal(result.returncode, 0)
    equal(result.stdout, PROMPT + 'hi\n' + PROMPT)


def test_a_program_of_the_shell_finds_the_rest_of_the_pipe(place):
    result = place.run('-q', text='shell cat\nfor the cat\n')
    equal(result.stdout, PROMPT + 'for the cat\n' + PROMPT)


def test_batch_carries_out_files_and_commands_in_order(place):
    place.write('one', 'echo one\\n\n')
    result = place.run('-batch', '-ex', 'echo zero\\n', '-x', 'one', '-ex', 'echo two\\n', '-iex', 'echo early\\n')
    equal((result.returncode, result.stdout, result.stderr), (0, 'early\nzero\none\ntwo\n', ''))
    equal(place.run('--batch', '-ex', 'nonsense').returncode, 1)
    equal(place.run('--batch', '-ex', 'nonsense', '-ex', 'echo').returncode, 0)


def test_errors_in_files_say_where(place):
    place.write('bad', 'echo first\\n\n\nnonsense\necho never\\n\n')
    result = place.run('-batch', '-x', 'bad')
    equal(result.stdout, 'first\n')
    equal(result.stderr, 'bad:3: Error in sourced command file:\nUndefined command: "nonsense".  Try "help".\n')
    holds(place.run('-batch', '-x', 'absent').stderr, 'absent: No such file or directory.')
    holds(place.run('-batch', '-x', '/').stderr, '/: Is a directory.')


def test_init_files(place):
    place.write('.config/trapline/init', 'echo home\\n\n')
    place.write('project/.trapline', 'echo local\\n\n')
    folder = place.home / 'project'
    result = place.run('-batch', cwd=folder)
    equal(result.stdout, 'home\n')
    holds(result.stderr, f'set auto-load safe-path {folder}')
    result = place.run('-batch', '-iex', f'set auto-load safe-path {folder}', cwd=folder)
    equal((result.stdout, result.stderr), ('home\nlocal\n', ''))
    (folder / '.trapline').chmod(0o666)
    result = place.run('-batch', '-iex', f'set auto-load safe-path {folder}', cwd=folder)
    equal(result.stdout, 'home\n')
    holds(result.stderr, 'others may write it')
    equal(place.run('-batch', '-nx', cwd=folder).stdout, '')


def test_definitions_take_words(place):
    place.write('c', '''define show-words
printf "%d:", $argc
echo $arg0|$arg1\\n
end
document show-words
Shows its words.
Twice.
end
show-words one "two three"
define outer
if $argc == 1
show-words $arg0 inner
else
echo other\\n
end
end
outer a
outer a b
help show-words
show user show-words
''')
    result = place.run('-batch', '-x', 'c')
    equal(result.stderr, '')
    equal(result.stdout, '2:one|"two three"\n2:a|inner\nother\nShows its words.\nTwice.\n'
          'User command "show-words":\n  printf "%d:", $argc\n  echo $arg0|$arg1\\n\n\n')


def test_hooks_and_aliases(place):
    place.write('c', '''define hook-pwd
echo before\\n
end
define hookpost-pwd
echo after\\n
end
pwd
alias say = echo -
say x\\n
alias circle = echo
alias say = pwd
''')
    result = place.run('-batch', '-x', place.home / 'c', cwd='/')
    equal(result.stdout, 'before\nWorking directory /.\nafter\n- x\n')
    holds(result.stderr, 'Alias already exists: say')


def test_loops_break_and_continue(place):
    place.write('c', '''set $i = 0
while $i < 10
set $i = $i + 1
if $i == 2
loop_continue
end
if $i == 4
loop_break
end
printf "%d\\n", $i
end
''')
    equal(place.run('-batch', '-x', 'c').stdout, '1\n3\n')


def test_recursion_has_an_end(place):
    place.write('c', 'define again\nagain\nend\nagain\n')
    holds(place.run('-batch', '-x', 'c').stderr, 'Max user call depth exceeded')


def test_settings_are_set_shown_and_refused(place):
    result = place.run('-q', text='set p elem 17\nshow print elements\nset height unlimited\nshow height\n'
                       'set confirm maybe\nset width many\nset print nonsense 3\nset commands 3\n'
                       'set prompt (db)\nshow prompt\nset h 3\n')
    for part in ('Limit on string chars or array elements to print is 17.\n',
                 'Number of lines Trapline thinks are in a page is unlimited.\n', 'Trapline\'s prompt is "(db) ".\n'):
        holds(result.stdout, part)
    for part in ('"on" or "off" expected.\n', '"many" is no number', 'Undefined set command: "print nonsense 3"',
                 '"commands" can only be shown', 'Ambiguous set command "h 3": height, history, host-charset.'):
        holds(result.stderr, part)


def test_printf(place):
    lines = [(r'printf "%5d|%-4x|%c|%s|%%\n", 42, 255, 65, "abc"', '   42|ff  |A|abc|%'),
             (r'printf "%.2f %e\n", 1.5, 2.5', '1.50 2.500000e+00'),
             (r'printf "%lu %p %p\n", 5, 16, 0', '5 0x10 (nil)'),
             (r'printf "no arguments\n"', 'no arguments')]
    for line, wanted in lines:
        equal(place.run('-batch', '-ex', line).stdout, wanted + '\n', line)
    for line in (r'printf "%d\n"', r'printf "%d", 1, 2', r'printf "%n", 1', 'printf abc', 'printf "abc', 'printf "%", 1',
                 'printf'):
        result = place.run('-batch', '-ex', line)
        equal((result.returncode, bool(result.stderr)), (1, True), line)


def test_logging(place):
    result = place.run('-q', text='set logging file log.txt\nset logging enabled on\necho logged\\n\n'
                       'set logging redirect on\nset logging enabled on\necho alone\\n\nset logging enabled off\n')
    holds((place.home / 'log.txt').read_text(), 'logged\n')
    holds((place.home / 'log.txt').read_text(), 'alone\n')
    equal('alone' in result.stdout, False)


def test_help_has_an_example_for_every_command(place):
    names = [line.split(' -- ')[0].split(',')[0] for line in place.run('-q', text='help all\n').stdout.splitlines()
             if ' -- ' in line and not line.startswith('set ')]
    equal(len(names) > 20, True)
    text = ''.join(f'echo [{name}]\\n\nhelp {name}\n' for name in names)
    result = place.run('-q', text=text)
    equal(result.stderr, '')
    for name, part in zip(names, result.stdout.split(PROMPT + '[')[1:]):
        if 'Example' not in part and 'subcommands:' not in part:
            raise Failure(f'help {name} has no example:\n{part}')


def test_apropos_and_complete(place):
    holds(place.run('-batch', '-ex', 'apropos regular').stdout, 'apropos -- List commands and settings')
    equal(place.run('-batch', '-ex', 'complete set history s').stdout,
          'set history save\nset history size\n')
    holds(place.run('-batch', '-ex', 'apropos *[').stderr, 'Error in regular expression')


def test_lines_of_any_kind_do_no_harm(place):
    text = '\0\n' + 'x' * 100000 + '\n' + 'if ' * 30000 + '\nend\n' + '"' * 5000 + '\n' + '\udcff\udcfe\n' + '!' + '\n'
    result = place.run('-q', text=text + 'set\nshow\nhelp help\ninfo\nquit 7\n', SHELL='/bin/true')
    equal(result.returncode, 7)


if __name__ == '__main__':
    sys.exit(main(sys.modules[__name__]))
