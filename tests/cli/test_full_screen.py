#!/usr/bin/env python3
"""The full screen as a person has it, typed key by key in a terminal that draws."""

import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import termios
import xml.etree.ElementTree

from tmux import Failure, Tmux

BUILD = pathlib.Path(os.environ.get('TRAPLINE_BUILD', 'build')).resolve()
TRAPLINE = BUILD / 'trapline'
PROGRAM = BUILD / 'tests/cli/cli-painter'
TOOLS = pathlib.Path(__file__).resolve().parents[2] / 'tools'
PROMPT = '(trapline) '


def equal(found, wanted, what=''):
    if found != wanted:
        raise Failure(f'{what}\n    wanted: {wanted!r}\n    found:  {found!r}')


class Place:
    def __init__(self):
        self.folder = tempfile.TemporaryDirectory(prefix="trapline-full-", ignore_cleanup_errors=True)
        self.home = pathlib.Path(self.folder.name)
        self.open = []

    def terminal(self, command, **options):
        kept = {name: value for name, value in os.environ.items() if name.endswith('SAN_OPTIONS')}
        names = {'HOME': str(self.home), 'INPUTRC': '/dev/null', 'SHELL': '/bin/sh', 'PS1': '$ ', **kept,
                 **options.pop('environment', {})}
        terminal = Tmux(command, environment=names, cwd=self.home, **options)
        self.open.append(terminal)
        return terminal

    def trapline(self, *arguments, **options):
        terminal = self.terminal([TRAPLINE, '-q', '-nx', '--args', PROGRAM, *arguments], **options)
        terminal.last_line(PROMPT)
        return terminal

    def close(self):
        for terminal in self.open:
            terminal.close()
        self.folder.cleanup()


def has(*texts):
    """Each of these stands in some row."""
    return lambda rows: all(any(text in row for row in rows) for text in texts)


def has_row(text):
    return lambda rows: text in rows


def at_prompt(*texts):
    return lambda rows: has(*texts)(rows) and [row for row in rows if row][-1] == PROMPT.rstrip()


def stopped_in_paint(place, **options):
    """Stands at the first line of paint(), with the source window."""
    terminal = place.trapline('paint', **options)
    terminal.enter('break paint')
    terminal.wait_for('Breakpoint 1')
    terminal.enter('layout src')
    terminal.wait_for('No process')
    terminal.enter('run')
    terminal.wait_for(at_prompt('B+>   17'))
    return terminal


def test_the_source_window_follows_the_program(place):
    terminal = stopped_in_paint(place)
    rows = terminal.screen()
    equal(rows[0].startswith('─ ') and rows[0].rstrip('─').endswith('painter.c '), True, rows[0])
    terminal.enter('next')
    rows = terminal.wait_for(at_prompt('  >   18', 'B+    17'))
    status = rows[15]
    equal('In: paint  L18  PC: 0x' in status, True, status)
    terminal.enter('up')
    terminal.wait_for(at_prompt('In: main', '  >   '))
    terminal.enter('delete')
    terminal.wait_for('(y or n)')
    terminal.enter('y')
    terminal.wait_for(lambda rows: not has('B+')(rows) and at_prompt()(rows))


def test_layouts_and_what_they_are_made_of(place):
    terminal = stopped_in_paint(place, rows=40)
    terminal.enter('layout split')
    terminal.wait_for(at_prompt('assembly', '<paint', 'B+>   17', 'B+> 0x'))
    terminal.enter('info win')
    rows = terminal.wait_for(at_prompt('Name       Lines Columns Focus'))
    start = rows.index('Name       Lines Columns Focus')
    equal(rows[start + 1:start + 5], ['src           13      80 (has focus)', 'asm           13      80',
                                      'status         1      80', 'cmd           13      80'])
    terminal.enter('layout regs')
    terminal.wait_for(at_prompt('Register group: general', 'rax '))
    terminal.enter('tui reg float')
    terminal.wait_for(at_prompt('Register group: float', 'st0 '))
    terminal.enter('layout next')
    terminal.wait_for(lambda rows: at_prompt('B+>   17')(rows) and not has('Register group')(rows))
    terminal.enter('layout asm')
    terminal.wait_for(lambda rows: at_prompt('assembly')(rows) and not has('painter.c ─')(rows))
    terminal.enter('winheight asm 5')
    terminal.enter('info win')
    terminal.wait_for(at_prompt('asm            5      80 (has focus)', 'cmd           34      80'))
    terminal.enter('winheight asm -100')
    terminal.wait_for('Invalid window height specified: -100')
    terminal.enter('focus src')
    terminal.wait_for('Window "src" is not visible')
    terminal.enter('focus nothing')
    terminal.wait_for('Unrecognized window name "nothing"')


def test_changed_registers_stand_out(place):
    terminal = stopped_in_paint(place, rows=60, columns=100)
    terminal.enter('layout regs')
    terminal.wait_for(at_prompt('rip '))
    terminal.enter('stepi')

    def changed(name):
        rows = [row for row in terminal.coloured() if name in row]
        return bool(rows) and re.search(r'\x1b\[[0-9;]*7m', rows[0]) is not None

    terminal.wait_for(lambda rows: changed('rip'))
    equal(changed('rbp'), False, 'what did not change is not marked')


def test_output_of_a_program_stays_in_its_window(place):
    terminal = stopped_in_paint(place)
    above = terminal.screen()[:15]
    terminal.enter('next')
    terminal.wait_for(at_prompt('  >   18'))
    terminal.enter('next')
    # The program's output comes before its stop: keys that are typed in between are the program's.
    rows = terminal.wait_for(lambda rows: has('rednot here', '  >   19')(rows) and PROMPT.rstrip() in rows)
    equal([row.replace('>', ' ') for row in rows[:14]], [row.replace('>', ' ') for row in above[:14]])
    terminal.enter('continue')
    rows = terminal.wait_for('exited normally')
    equal(rows[0], above[0])


def test_resizing(place):
    terminal = stopped_in_paint(place)
    terminal.type('print 1')
    terminal.wait_for(PROMPT + 'print 1')
    terminal.resize(40, 120)
    terminal.wait_for(lambda rows: len(rows) == 40 and len(rows[0]) == 120 and
                      has('B+>   17', PROMPT + 'print 1')(rows))
    for size in ((10, 40), (3, 12), (2, 5), (1, 1), (5, 200)):
        terminal.resize(*size)
        terminal.wait_for(lambda rows: len(rows) == size[0])
    terminal.resize(24, 80)
    terminal.wait_for(lambda rows: len(rows) == 24 and has('B+>   17', PROMPT + 'print 1')(rows))
    terminal.enter(' + 41')
    terminal.wait_for(at_prompt('$1 = 42'))


def test_a_program_runs_is_interrupted_and_reads(place):
    terminal = place.trapline('spin')
    terminal.enter('layout src')
    terminal.wait_for('No process')
    terminal.enter('run')
    terminal.wait_for(has('spinning', '(running)'))
    terminal.resize(30, 100)
    terminal.wait_for(lambda rows: len(rows) == 30 and has('(running)')(rows))
    terminal.press('C-c')
    # Where it is by then, and with what sources, is up to the machine.
    terminal.wait_for(at_prompt('received signal SIGINT'))
    terminal.enter('run read')
    terminal.wait_for('(y or n)')
    terminal.enter('y')
    terminal.wait_for('name?')
    terminal.enter('world')
    rows = terminal.wait_for(at_prompt('hello world', 'exited normally'))
    equal(has('name? world')(rows), True)


def test_a_half_typed_line_stays_over_a_stop(place):
    terminal = place.trapline('tick')
    terminal.enter('break ticked')
    terminal.wait_for('Breakpoint 1')
    terminal.enter('layout src')
    terminal.wait_for('No process')
    terminal.enter('run &')
    terminal.type('print tur')
    rows = terminal.wait_for(lambda rows: has('hit Breakpoint 1', 'B+>')(rows) or
                             has('Breakpoint 1, ticked', 'B+>')(rows))
    rows = terminal.wait_for(lambda rows: [row for row in rows if row][-1] == PROMPT + 'print tur')
    equal(terminal.cursor()[1], len(PROMPT + 'print tur'))
    terminal.press('Tab')
    terminal.wait_for(PROMPT + 'print turns')
    terminal.press('Enter')
    terminal.wait_for(at_prompt('$1 = 0'))


def test_keys_scroll_the_window_that_has_the_focus(place):
    terminal = stopped_in_paint(place)
    first = terminal.screen()[1]
    terminal.press('Down')
    terminal.wait_for(lambda rows: rows[1] != first)
    terminal.press('Up')
    terminal.wait_for(lambda rows: rows[1] == first)
    terminal.press('PageDown')
    terminal.wait_for(lambda rows: not has('B+>')(rows))
    terminal.press('PageUp')
    terminal.wait_for(lambda rows: rows[1] == first)
    terminal.press('Right')
    terminal.wait_for(lambda rows: rows[1] != first)
    terminal.press('Left')
    terminal.press('C-x', 'o')
    terminal.press('Up')
    terminal.wait_for(PROMPT + 'run')
    terminal.press('C-u')
    terminal.press('C-x', '2')
    terminal.wait_for(at_prompt('assembly', '<paint'))
    terminal.press('C-x', '1')
    terminal.wait_for(lambda rows: not has('assembly')(rows))
    terminal.press('C-x', 'C-a')
    terminal.wait_for(lambda rows: at_prompt('Starting program')(rows) and not has('B+>')(rows))
    terminal.press('C-x', 'C-a')
    terminal.wait_for(at_prompt('B+>   17'))


def test_the_kernel_shows_nothing_that_is_typed_ahead(place):
    terminal = stopped_in_paint(place)
    with open(terminal.tell('display-message', '-p', '#{pane_tty}')[0]) as tty:
        for line in ('set $i = 0', 'while $i < 1000000000', 'if $i == 0', 'echo begun\\n', 'end', 'set $i = $i + 1', 'end'):
            terminal.enter(line)
        terminal.wait_for(has_row('begun'))
        # While a command runs, lines are the kernel's to collect, and not to show.
        modes = termios.tcgetattr(tty)[3]
        equal(bool(modes & termios.ICANON), True, 'the kernel collects lines')
        equal(bool(modes & termios.ECHO), False, 'the kernel shows what is typed')
        terminal.press('C-c')
        terminal.wait_for(at_prompt('Quit'))
        terminal.press('C-x', 'C-a')
        terminal.wait_for(lambda rows: not has('B+>')(rows))
        terminal.enter('shell stty -a | tr " " "\\n" | grep -E "^-*(echo|noflsh);*$"')
        terminal.wait_for(lambda rows: {'echo', '-noflsh'} <= {row.rstrip(';') for row in rows})


def test_at_no_moment_does_the_kernel_show_keys_or_drop_what_is_drawn(place):
    calls = place.home / 'calls'
    terminal = place.terminal(['strace', '-v', '-o', calls, '-e', 'trace=ioctl', TRAPLINE, '-q', '-nx', PROGRAM, 'paint'])
    terminal.last_line(PROMPT)
    terminal.enter('layout src')
    terminal.wait_for('No process')
    begin = len(calls.read_text().splitlines())
    for line, answer in (('break paint', 'Breakpoint 1 at'), ('run', 'Breakpoint 1, paint'), ('print 99 + 3', '= 102')):
        terminal.enter(line)
        terminal.wait_for(at_prompt(answer))
    modes = re.findall(r'ioctl.0, .*TCSETS.*c_lflag=([A-Z|]*)', '\n'.join(calls.read_text().splitlines()[begin:]))
    equal(len(modes) > 6, True, modes)
    for flags in (set(mode.split('|')) for mode in modes):
        # Raw: ^C is a character, and nothing is dropped at it.
        equal('ECHO' in flags or 'ISIG' in flags and 'NOFLSH' not in flags, False, modes)


def test_what_others_write_on_the_terminal_goes_with_a_key(place):
    terminal = stopped_in_paint(place)
    rows = terminal.screen()
    with open(terminal.tell('display-message', '-p', '#{pane_tty}')[0], 'w') as tty:
        tty.write('\x1b[3;3Hsomebody writes here\x1b[10;1H')
    terminal.wait_for('somebody writes here')
    terminal.press('C-l')
    terminal.wait_for(lambda now: now == rows)


def test_lines_are_edited_as_ever(place):
    terminal = stopped_in_paint(place, columns=60)
    terminal.type('info sh')
    terminal.press('Tab')
    terminal.wait_for(PROMPT + 'info sharedlibrary')
    terminal.press('C-u')
    terminal.type('info s')
    terminal.press('Tab', 'Tab')
    terminal.wait_for(has('sharedlibrary', 'signals', 'symbol', PROMPT + 'info s'))
    terminal.press('C-u', 'C-r')
    terminal.type('brea')
    terminal.wait_for("(reverse-i-search)`brea': break paint")
    terminal.press('C-g')
    long = 'print "' + 'abcdefghij' * 12 + '"'
    terminal.type(long)
    terminal.press('C-a')
    terminal.type('x')
    terminal.press('BSpace', 'C-e', 'Enter')
    terminal.wait_for(lambda rows: '$1 = "' + ('abcdefghij' * 12) in ''.join(rows))


def test_long_output_comes_in_pages(place):
    terminal = stopped_in_paint(place)
    terminal.enter('info signals')
    terminal.wait_for('--Type <RET> for more')
    first = terminal.screen()[17]
    terminal.press('Enter')
    terminal.wait_for(lambda rows: rows[17] != first and has('--Type <RET> for more')(rows))
    terminal.press('C-c')
    terminal.wait_for(at_prompt('paging--^C'))
    terminal.press('C-x', 'o')
    first = terminal.screen()[16]
    terminal.press('PageUp')
    terminal.wait_for(lambda rows: rows[16] != first)
    terminal.type('p')
    terminal.wait_for(lambda rows: [row for row in rows if row][-1] == PROMPT + 'p')


def test_lists_are_shown_in_the_source_window(place):
    terminal = stopped_in_paint(place, columns=120)
    terminal.enter('list read_line')
    rows = terminal.wait_for(at_prompt('read_line(void)'))
    equal(has('static void paint(void)')(rows), False)
    terminal.enter('list 1')
    rows = terminal.wait_for(at_prompt('Wide: 漢字 */'))
    equal(rows[1].startswith('       1  /* Debugged'), True, rows[1])
    terminal.enter('frame')
    terminal.wait_for('#0  paint () at')


def test_the_shell_has_the_terminal_for_a_while(place):
    terminal = stopped_in_paint(place)
    terminal.enter('shell echo from the shell')
    rows = terminal.wait_for('press Enter')
    equal(has('B+>   17')(rows), False)
    equal(has('from the shell')(rows), True)
    terminal.press('Enter')
    terminal.wait_for(at_prompt('B+>   17'))


def restored(terminal):
    """The shell's screen, with a terminal that echoes and edits lines."""
    terminal.type('stty -a | grep -o " icanon" ; echo "mo""des"')
    terminal.wait_for('mo""des')
    terminal.press('Enter')
    return terminal.wait_for(lambda rows: ' icanon' in rows or 'icanon' in [row.strip() for row in rows])


def in_a_shell(place):
    terminal = place.terminal(['bash', '--norc', '--noprofile', '-i'])
    terminal.last_line('$')
    terminal.enter(f'{TRAPLINE} -q -nx --args {PROGRAM} paint')
    terminal.last_line(PROMPT)
    terminal.enter('layout src')
    terminal.wait_for('No process')
    return terminal


def test_quitting_gives_the_terminal_back(place):
    terminal = in_a_shell(place)
    terminal.enter('echo kept\\n')
    terminal.wait_for(at_prompt('kept'))
    terminal.enter('quit')
    rows = terminal.wait_for(lambda rows: [row for row in rows if row][-1] == '$')
    equal(has('No process')(rows), False)
    equal(has('kept', 'layout src')(rows), True, 'what was said is there')
    restored(terminal)


def the_debugger(terminal):
    shell = int(terminal.tell('display-message', '-p', '#{pane_pid}')[0])
    return int(pathlib.Path(f'/proc/{shell}/task/{shell}/children').read_text().split()[0])


def test_ends_by_signals_give_the_terminal_back(place):
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGSEGV, signal.SIGABRT):
        terminal = in_a_shell(place)
        os.kill(the_debugger(terminal), number)
        rows = terminal.wait_for(lambda rows: any(row.endswith('$') for row in rows) and not has('No process')(rows))
        restored(terminal)
        terminal.close()
        place.open.remove(terminal)


def test_stopped_and_continued_by_the_shell(place):
    terminal = in_a_shell(place)
    terminal.type('print 6')
    terminal.wait_for(PROMPT + 'print 6')
    terminal.press('C-z')
    rows = terminal.wait_for('Stopped')
    equal(has('No process')(rows), False)
    restored(terminal)
    terminal.resize(20, 70)
    terminal.enter('fg')
    rows = terminal.wait_for(lambda rows: len(rows) == 20 and has('No process', PROMPT + 'print 6')(rows))
    terminal.enter(' * 7')
    terminal.wait_for(at_prompt('$1 = 42'))


def test_terminals_that_cannot_do_it_are_told(place):
    for name, why in (('dumb', "terminal doesn't support cursor addressing [TERM=dumb]"),
                      ('no-such-terminal', 'the terminal is not known to terminfo [TERM=no-such-terminal]')):
        terminal = place.trapline(environment={'TERM': name}, columns=120)
        terminal.enter('layout src')
        terminal.wait_for('Cannot enable the TUI: ' + why)
        terminal.enter('print 1')
        terminal.wait_for('$1 = 1')
    terminal = place.terminal(['sh', '-c', f'{TRAPLINE} -q -nx -ex "tui enable" {PROGRAM} | cat'])
    terminal.wait_for('Cannot enable the TUI when output is not a terminal')


def test_a_screen_becomes_a_picture(place):
    text = '\x1b[1;31mB+\x1b[0m <main> \x1b[7mhere & now\x1b[27m\n漢字\x1b[38;5;200mx\x1b[48;2;1;2;3my\x01\n'
    made = subprocess.run([sys.executable, TOOLS / 'picture', '--title', 'a < b'], input=text, capture_output=True,
                          text=True, check=True, timeout=60).stdout
    root = xml.etree.ElementTree.fromstring(made)
    name = '{http://www.w3.org/2000/svg}'
    equal(root.find(name + 'title').text, 'a < b')
    texts = [(element.text, element.get('fill'), element.get('font-weight')) for element in root.iter(name + 'text')]
    equal(texts, [('B+', '#e06c75', 'bold'), (' <main> ', '#d8dce4', None), ('here & now', '#1d2026', None),
                  ('漢', '#d8dce4', None), ('字', '#d8dce4', None), ('x', '#ff00d7', None), ('y?', '#ff00d7', None)])
    equal([element.get('fill') for element in root.iter(name + 'rect')][1:], ['#d8dce4', '#010203'])
    # What tmux says of a real screen can be drawn.
    terminal = stopped_in_paint(place)
    made = subprocess.run([sys.executable, TOOLS / 'picture'], input='\n'.join(terminal.coloured()), capture_output=True,
                          text=True, check=True, timeout=60).stdout
    texts = ''.join(element.text for element in xml.etree.ElementTree.fromstring(made).iter(name + 'text'))
    equal('painted();' in texts and '(trapline)' in texts, True, texts)


def main():
    cases = [(name, value) for name, value in globals().items() if name.startswith('test_')]
    passed = failed = 0
    for name, case in cases:
        if sys.argv[1:] and not any(word in name for word in sys.argv[1:]):
            continue
        place = Place()
        try:
            case(place)
            passed += 1
            print(f'ok {name}', flush=True)
        except Failure as failure:
            failed += 1
            print(f'FAILED {name}: {failure}')
            print(f'    run it again: TRAPLINE_BUILD={BUILD} python3 {sys.argv[0]} {name}', flush=True)
        finally:
            place.close()
    print(f'{passed} passed, {failed} failed')
    return failed != 0 or passed == 0


sys.exit(main())
