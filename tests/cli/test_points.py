"""Points, signals and calls at the prompt: what stops, what is counted, and what is said of it, in gdb's words."""

import re
import subprocess
import sys

import harness
from harness import equal, holds
from test_debugging import same_as_gdb

PROGRAM = harness.BUILD / 'tests/cli/cli-points'
LIBRARY = harness.BUILD / 'tests/cli/libcli-points.so'
SOURCE = (harness.pathlib.Path(__file__).parent / 'points.c').read_text().split('\n')


def line_of(part, nth=1):
    """The number of the line that has these words."""
    for number, text in enumerate(SOURCE, 1):
        nth -= part in text
        if nth == 0:
            return number
    raise harness.Failure(f'no line has {part!r}')


def run(place, *commands, program=PROGRAM):
    """What the commands say, one after the other, addresses and numbers of processes made the same."""
    options = [word for command in commands for word in ('-ex', command)]
    result = subprocess.run([harness.TRAPLINE, '-q', '-nx', '--batch', *options, program], stdout=subprocess.PIPE,
                            stderr=subprocess.STDOUT, text=True, timeout=harness.DEADLINE, cwd=place.home,
                            stdin=subprocess.DEVNULL, env=harness.environment(place.home))
    text = result.stdout.replace(str(harness.BUILD), 'BUILD')
    text = re.sub(r'\(Where is .*\n', '', text)
    return re.sub(r'process \d+', 'process N', re.sub(r'0x[0-9a-f]+', 'ADDRESS', text))


def parts(text, *wanted):
    """Each stands behind the one before."""
    at = 0
    for part in wanted:
        found = text.find(part, at)
        if found < 0:
            raise harness.Failure(f'{part!r} is not in the rest:\n{text[at:]}\n-- of all:\n{text}')
        at = found + len(part)


def test_a_signal_that_does_not_stop_is_told_of_in_gdbs_words(place):
    text = run(place, 'handle SIGUSR1 nostop print', 'run signals')
    parts(text, '\nProgram received signal SIGUSR1, User defined signal 1.\n', 'caught 10\n', 'exited with code 03]')


def test_a_signal_without_a_stop_names_its_thread(place):
    text = run(place, 'handle SIGUSR1 nostop print', 'run thread-signals')
    parts(text, '[New Thread', '\nThread 2 "cli-points" received signal SIGUSR1, User defined signal 1.\n')


def test_a_signal_does_not_take_the_place_of_an_instruction(place):
    text = run(place, 'handle SIGUSR1 nostop noprint', 'break signals', 'run signals', 'next', 'set $before = $pc',
               'eval "shell kill -USR1 %d", (int)getpid()', 'stepi', 'print $pc > $before && $pc < $before + 16',
               'set $before = $pc', 'eval "shell kill -WINCH %d", (int)getpid()', 'nexti',
               'print $pc > $before && $pc < $before + 16', 'kill')
    equal(re.findall(r'\$\d+ = .*', text), ['$1 = 1', '$2 = 1'])


def test_continue_from_a_stop_signal_waits_for_nobody(place):
    text = run(place, 'run stops', 'continue')
    parts(text, 'Program received signal SIGSTOP, Stopped (signal).', 'went on\n', 'exited with code 03]')
    text = run(place, 'handle SIGSTOP nostop print', 'run stops')
    parts(text, 'Program received signal SIGSTOP, Stopped (signal).', 'went on\n', 'exited with code 03]')


def test_libraries_are_caught_as_they_come_and_go(place):
    text = run(place, 'catch load', 'catch unload cli-p', 'tcatch load libcli', 'catch load nowhere', f'run libraries {LIBRARY}',
               'continue', 'continue', 'continue', 'continue', 'info breakpoints', 'continue')
    library = 'BUILD/tests/cli/libcli-points.so'
    parts(text, 'Catchpoint 1 (load)\nCatchpoint 2 (unload)\nCatchpoint 3 (load)\n',
          '\nCatchpoint 1\n  Inferior loaded ', 'libc.so.6\n',
          f'\nCatchpoint 1\n  Inferior loaded {library}\n', f'\nCatchpoint 2\n  Inferior unloaded {library}\n',
          f'\nCatchpoint 1\n  Inferior loaded {library}\n', f'\nCatchpoint 2\n  Inferior unloaded {library}\n',
          '1       catchpoint     keep y              load of library\n\tcatchpoint already hit 3 times\n',
          'unload of library matching cli-p\n\tcatchpoint already hit 2 times\n',
          'load of library matching nowhere\n', 'loaded twice\n')
    # A temporary one is gone after its hit, and what was never loaded was never hit.
    if 'matching libcli' in text or text.count('already hit') != 2:
        raise harness.Failure(text)


def test_conditions_counts_and_commands_of_catchpoints_for_libraries(place):
    text = run(place, 'catch load libcli', 'condition 1 watched[0] == 100', 'catch unload libcli', 'ignore 2 1',
               f'run libraries {LIBRARY}', 'info breakpoints')
    parts(text, 'Will ignore next crossing of breakpoint 2.', '\nCatchpoint 2\n  Inferior unloaded ',
          'load of library matching libcli\n\tstop only if watched[0] == 100\n', 'catchpoint already hit 2 times')
    if '\nCatchpoint 1\n' in text:
        raise harness.Failure(text)
    commands = place.write('commands', f'catch unload\ncommands\nsilent\nprint 40 + 2\nend\nrun libraries {LIBRARY}\n')
    parts(run(place, f'source {commands}'), 'Catchpoint 1 (unload)', '$1 = 42')


def test_stop_on_solib_events_says_what_came(place):
    text = run(place, 'set stop-on-solib-events 1', f'run libraries {LIBRARY}', 'continue')
    parts(text, 'Stopped due to shared library event:\n  Inferior loaded ', 'libc.so.6',
          'Stopped due to shared library event:\n  Inferior loaded BUILD/tests/cli/libcli-points.so')


def test_watchpoints_beyond_the_debug_registers_trigger_too(place):
    watches = [f'watch watched[{i}]' for i in range(6)]
    text = run(place, 'break main', 'run', *watches, 'watch wide', 'hbreak work', 'info breakpoints', *['continue'] * 8)
    parts(text, 'Hardware watchpoint 2: watched[0]', 'Hardware watchpoint 5: watched[3]',
          '\nWatchpoint 6: watched[4]\nWatchpoint 7: watched[5]\nWatchpoint 8: wide\nHardware assisted breakpoint 9',
          '4       hw watchpoint  keep y', '5       watchpoint     keep y', '8       watchpoint     keep y',
          'Hardware watchpoint 2: watched[0]\n\nOld value = 0\nNew value = 1\n',
          'Hardware watchpoint 3: watched[1]\n\nOld value = 0\nNew value = 2\n',
          'Hardware watchpoint 4: watched[2]\n\nOld value = 0\nNew value = 3\n',
          '\nWatchpoint 5: watched[3]\n\nOld value = 0\nNew value = 4\n',
          '\nWatchpoint 6: watched[4]\n\nOld value = 0\nNew value = 5\n',
          '\nWatchpoint 7: watched[5]\n\nOld value = 0\nNew value = 6\n',
          '\nWatchpoint 8: wide\n\nOld value = ', '\nBreakpoint 9, work (')


def test_registers_that_are_free_again_are_used(place):
    text = run(place, 'break main', 'run', *[f'watch watched[{i}]' for i in range(5)], 'delete 2', 'info watchpoints',
               'disable 3', 'watch watched[7]', 'rwatch wide', 'rwatch caught', 'rwatch both',
               'continue')
    parts(text, '\nWatchpoint 6: watched[4]', '6       hw watchpoint  keep y', '\nHardware watchpoint 7: watched[7]',
          'There are not enough available hardware resources for this watchpoint.',
          '\nWatchpoint 4: watched[2]\n')


def test_too_many_hardware_breakpoints_are_refused_by_number(place):
    text = run(place, 'break main', 'run', *[f'hbreak {name}' for name in ('helper', 'twice', 'work', 'same', 'threads')],
               'continue', 'delete 6', 'continue')
    parts(text, 'Could not insert hardware breakpoint 6.\nCould not insert hardware breakpoints:\n'
          'You may have requested too many hardware breakpoints/watchpoints.\n', '\nBreakpoint 4, work (')


def test_all_watchpoints_and_the_breakpoint_of_one_stop_are_told(place):
    line = line_of('both = 2')
    text = run(place, 'break main', 'run', 'watch both', 'watch both + 1', f'break {line + 1}', 'continue', 'continue',
               'info breakpoints')
    parts(text, '\nHardware watchpoint 2: both\n\nOld value = 0\nNew value = 1\n'
          '\nHardware watchpoint 3: both + 1\n\nOld value = 1\nNew value = 2\n',
          '\nHardware watchpoint 2: both\n\nOld value = 1\nNew value = 2\n'
          '\nHardware watchpoint 3: both + 1\n\nOld value = 2\nNew value = 3\n'
          '\nBreakpoint 4, main (', 'breakpoint already hit 2 times')


def test_addresses_and_counts_after_the_end(place):
    text = run(place, 'break faults', 'run', 'continue', 'info breakpoints', 'break helper', 'run', 'info breakpoints')
    equal('0000ADDRESS' in text, False)
    result = place.run('-q', '-nx', '--batch', '-ex', 'break faults', '-ex', 'run', '-ex', 'continue', '-ex', 'info breakpoints',
                       '-ex', 'print faults', PROGRAM).stdout
    shown = re.findall(r'keep y +0x0*([0-9a-f]+) in faults', result)
    equal(len(shown), 1)
    holds(result, f'$1 = {{void (int)}} 0x{int(shown[0], 16) - int(shown[0], 16) % 16:x}'[:20])
    # Each run counts from nought.
    equal(text.count('breakpoint already hit 1 time\n'), 2)


def test_skips_are_listed_and_changed_as_gdb_says(place):
    same_as_gdb(place, ['info skip', 'skip function helper', 'skip skipped_one', 'skip file foo.c', 'skip -gfi *.h',
                        'skip -rfu ^tw', 'skip -fu twice -fi points.c', 'skip -gfi x*.c -rfu a.*b', 'skip a b', 'info skip',
                        'info skip 2-3', 'info skip 77', 'skip disable 2', 'info skip', 'skip enable 2', 'skip disable',
                        'info skip 1', 'skip delete 2-3', 'info skip', 'skip delete', 'info skip', 'break work', 'run', 'skip',
                        'info skip', 'kill'], PROGRAM)


def test_mistakes_with_skip_are_named(place):
    text = run(place, 'skip')
    parts(text, 'No default function now.')
    for command, error in (('skip file', 'No default file now.'), ('skip -fi', 'Missing value for -fi option.'),
                           ('skip -foo', 'Invalid skip option: -foo'),
                           ('skip -fi a -gfi b', 'Cannot specify both -file and -gfile.'),
                           ('skip -fu a -rfu b', 'Cannot specify both -function and -rfunction.'),
                           ('skip -fu a b', 'Invalid argument: b'), ('skip -rfu [', 'regexp: '),
                           ('skip delete 9', 'No skiplist entries found with number 9.')):
        parts(run(place, command), error)


def test_steps_pass_by_what_is_skipped_as_in_gdb(place):
    same_as_gdb(place, ['break work', 'run', 'skip function skipped_one', 'step', 'finish', 'step', 'step', 'step', 'kill'],
                PROGRAM)
    same_as_gdb(place, ['break work', 'run', 'skip twice', 'skip -rfu ^h.l*p -fi points.c', 'step', 'finish', 'step', 'step',
                        'kill'], PROGRAM)
    same_as_gdb(place, ['break work', 'run', 'skip file points.c', 'step', 'step', 'skip delete', 'kill'],
                PROGRAM)


def test_breakpoints_by_pattern_as_gdb_says(place):
    same_as_gdb(place, ['rbreak ^hel', 'rbreak points.c:^tw', 'rbreak foo.c:main', 'rbreak nosuch', 'rbreak ^strl',
                        'info breakpoints'], PROGRAM)


def test_commands_behind_rbreak_are_of_all_that_it_made(place):
    commands = place.write('commands', 'rbreak points.c:e.*er$\ncommands\nsilent\nprint number + 0\nend\n'
                           'info breakpoints\n')
    text = run(place, f'source {commands}')
    parts(text, 'static int deeper(int);', 'static int helper(int);', 'print number + 0', 'print number + 0')


def test_breakpoints_at_one_address_are_noted_as_gdb_says(place):
    same_as_gdb(place, ['break work', 'break work', 'disable 1', 'break work', 'tbreak work if number == 7', 'print $bpnum',
                        'info breakpoints'], PROGRAM)
    same_as_gdb(place, ['break work', 'run', 'break', 'tbreak', 'break helper', 'break helper', 'print $bpnum', 'kill'],
                PROGRAM)
    text = run(place, 'start', 'break helper thread 1', 'info breakpoints')
    parts(text, 'in helper at ../tests/cli/points.c:' + str(line_of('return number + 1')) + ' thread 1\n\tstop only in thread 1\n')


def test_an_address_by_name_goes_with_the_program_as_in_gdb(place):
    same_as_gdb(place, ['break *work', 'run', 'info breakpoints', 'kill'], PROGRAM)


def test_conditions_that_make_no_sense_yet(place):
    text = run(place, 'break work', 'condition -force 1 nosuch == 3', 'info breakpoints', 'condition 1 number == 1', 'run')
    parts(text, 'warning: failed to validate condition at location 1.1, disabling:\n  No symbol "nosuch" in current context.\n',
          'stop only if nosuch == 3', "Breakpoint 1's condition is now valid at location 1, enabling.",
          '\nBreakpoint 1, work (name=ADDRESS "one", number=1)')
    text = run(place, 'break helper -force-condition if nosuch', 'info breakpoints')
    parts(text, 'warning: failed to validate condition at location 1, disabling:\n  No symbol "nosuch" in current context.\n'
          'Breakpoint 1 at ADDRESS', 'stop only if nosuch')
    parts(run(place, 'break helper if nosuch'), 'No symbol "nosuch" in current context.')
    parts(run(place, 'start', 'break helper thread 77'), 'Unknown thread 77.')


def test_saved_points_are_read_again(place):
    saved = place.home / 'saved'
    run(place, 'break work if number == 1', 'ignore 1 2', 'tbreak helper', f'save breakpoints {saved}')
    text = run(place, f'source {saved}', 'info breakpoints')
    parts(text, '1       breakpoint     keep y', 'stop only if number == 1', 'ignore next 2 hits', '2       breakpoint     del  y')


def test_displays_are_deleted_and_switched_as_gdb_says(place):
    same_as_gdb(place, ['break work', 'run', 'display number', 'display name', 'delete display 1', 'info display',
                        'disable display 2', 'info display', 'next', 'enable display 2', 'next', 'delete display 9',
                        'undisplay 9', 'delete display', 'info display', 'kill'], PROGRAM)


def test_the_last_address_of_the_list_is_a_variable_as_in_gdb(place):
    same_as_gdb(place, ['break work', 'break helper', 'info breakpoints', 'print $_', 'print $_isvoid($_exitcode)'], PROGRAM)


def test_events_with_conditions(place):
    text = run(place, 'catch fork if watched[0] == 1', 'catch exec foo', 'info breakpoints')
    parts(text, 'Catchpoint 1 (fork)', 'fork\n\tstop only if watched[0] == 1')
    parts(run(place, 'catch exec foo'), 'Junk at end of arguments.')


def test_a_point_of_a_thread_goes_with_it(place):
    text = run(place, 'break thread_signals', 'break signalled', 'run thread-signals', 'continue', 'tbreak helper thread 2',
               'break work thread 1', 'delete 1-2', 'handle SIGUSR1 nostop', 'continue', 'info breakpoints')
    parts(text, 'Thread-specific breakpoint 3 deleted - thread 2 no longer in the thread list.', 'hit Breakpoint 4, work (')
    if 'tbreak' in text.split('Num  ')[-1] or '3       breakpoint' in text:
        raise harness.Failure(text)


def test_pending_points_say_what_is_missing(place):
    parts(run(place, 'set breakpoint pending on', 'break nosuch'), 'Function "nosuch" not defined.\nBreakpoint 1 (nosuch) pending.')


def test_a_signal_in_a_called_function(place):
    text = run(place, 'break helper', 'run', 'print deeper(1)', 'backtrace 2', 'info breakpoints')
    parts(text, '\nBreakpoint 1, helper (number=0)', '\nProgram received signal SIGSEGV, Segmentation fault.\nfaults (how=1) at ',
          'The program being debugged was signaled while in a function called from Trapline.\n'
          'Trapline remains in the frame where the signal was received.\n'
          'To change this behavior use "set unwindonsignal on".\n'
          'Evaluation of the expression containing the function\n(deeper) will be abandoned.\n'
          'When the function is done executing, Trapline will silently stop.\n#0  faults (how=1)', 'already hit 1 time')
    text = run(place, 'break helper', 'run', 'set unwindonsignal on', 'print deeper(1)', 'backtrace 1', 'continue')
    parts(text, 'The program being debugged was signaled while in a function called from Trapline.\n'
          'Trapline has restored the context to what it was before the call.\n'
          'To change this behavior use "set unwindonsignal off".\n'
          'Evaluation of the expression containing the function\n(deeper) will be abandoned.\n#0  helper (number=0)',
          '\nBreakpoint 1, helper (number=1)')


def test_a_breakpoint_in_a_called_function_is_not_unwound(place):
    text = run(place, 'break helper', 'run', 'set unwindonsignal on', 'break faults', 'print deeper(0)', 'backtrace 1',
               'continue', 'backtrace 1')
    parts(text, '\nBreakpoint 2, faults (how=0)',
          'The program being debugged stopped while in a function called from Trapline.\n'
          'Evaluation of the expression containing the function\n(deeper) will be abandoned.\n'
          'When the function is done executing, Trapline will silently stop.\n#0  faults', '#0  helper (number=0)')


def test_conditions_call_functions(place):
    text = run(place, 'break work if strcmp(name, "one") == 0', 'break skipped_one if same("a", "b")', 'run', 'print name',
               'print strlen(name)', 'info breakpoints', 'continue')
    parts(text, '\nBreakpoint 1, work (name=ADDRESS "one", number=1)', '$1 = ADDRESS "one"', '$2 = 3',
          'already hit 1 time', 'exited with code 03]')
    equal(text.count('already hit'), 1)


def test_conditions_call_functions_while_other_threads_run(place):
    text = run(place, 'break work if same(name, "two")', 'run threads', 'info breakpoints', 'continue')
    parts(text, '\nThread 1 "cli-points" hit Breakpoint 1, work (name=ADDRESS "two", number=2)', 'already hit 1 time',
          'exited with code 03]')


def test_a_condition_that_calls_leaves_the_step_alone(place):
    text = run(place, 'break work', 'run', 'break skipped_one if helper(number) == 77', 'next', 'next', 'next', 'finish')
    line = line_of('int sum = skipped_one')
    parts(text, f'\n{line}\t', f'\n{line + 2}\t', f'\n{line + 3}\t', 'Value returned is $1 = ')


def test_a_signal_in_a_function_called_by_a_condition(place):
    text = run(place, 'break helper if deeper(1)', 'run', 'backtrace 1')
    parts(text, 'Error in testing breakpoint condition:\n', 'Trapline remains in the frame', 'received signal SIGSEGV',
          '#0  faults (how=1)')
    text = run(place, 'set unwindonsignal on', 'break helper if deeper(1)', 'run', 'backtrace 1')
    parts(text, 'Error in testing breakpoint condition:\n', 'has restored the context', '\nBreakpoint 1, helper (number=0)',
          '#0  helper (number=0)')


def test_watchpoints_events_and_dprintf_call_functions(place):
    line = line_of('return number + 1')
    text = run(place, 'break main', 'run', 'watch both if helper(both) == 3', f'dprintf {line},"h %d\\n",skipped_one(number)',
               'continue', 'continue', 'delete 3', 'continue')
    parts(text, '\nHardware watchpoint 2: both\n\nOld value = 1\nNew value = 2\n', 'h 2\n', 'h 3\n', 'h 4\n')


def test_a_breakpoint_at_an_indirect_function_ends_where_it_was_chosen(place):
    text = run(place, 'break indirect', 'info breakpoints', 'run', 'info breakpoints', 'continue', 'run')
    parts(text, 'Breakpoint 1 at gnu-indirect-function resolver at ADDRESS\n', 'STT_GNU_IFUNC resolver keep y',
          '<choose>\n', '\nBreakpoint 1, chosen () at ', '1       breakpoint     keep y   ADDRESS in chosen at ',
          '\tbreakpoint already hit 1 time\n', 'exited with code 03]', '\nBreakpoint 1, chosen () at ')


if __name__ == '__main__':
    sys.exit(harness.main(sys.modules[__name__]))
