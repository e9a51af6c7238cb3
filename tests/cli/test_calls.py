#!/usr/bin/env python3
"""Functions of the program that are called from the prompt while other threads have a word in it."""

import sys

from harness import BUILD, equal, holds, main
from test_debugging import same_as_gdb

PROGRAM = BUILD / 'tests/cli/cli-calls'
SETTING = ['break ready', 'run', 'up']


def test_a_called_function_gets_the_lock_that_another_thread_holds(place):
    same_as_gdb(place, [*SETTING, 'print take(4)', 'print held', 'kill'], program=PROGRAM)


def test_scheduler_locking_is_obeyed_by_calls(place):
    text = '\n'.join([*SETTING, 'set scheduler-locking on', 'print linger()', 'kill', ''])
    done = place.run('-q', '-nx', PROGRAM, text=text)
    holds(done.stdout, '$1 = 0')
    equal(done.stderr, '')


def test_a_point_that_another_thread_meets_ends_the_call(place):
    text = '\n'.join([*SETTING, 'break answer', 'print ask(4)', 'bt 1', 'thread', 'kill', ''])
    done = place.run('-q', '-nx', PROGRAM, text=text)
    holds(done.stderr, 'The program stopped in another thread while making a function call from Trapline.\n'
          'Evaluation of the expression containing the function\n(ask) will be abandoned.')
    holds(done.stdout, 'hit Breakpoint 2, answer () at')
    holds(done.stdout, '#0  answer () at')
    equal(done.stdout.count('= 6'), 0)


def test_conditions_are_found_out_with_the_others_standing(place):
    text = '\n'.join([*SETTING, 'set var called = 1', 'break answer if plain(1) == 2', 'continue', 'kill', ''])
    done = place.run('-q', '-nx', PROGRAM, text=text)
    holds(done.stdout, 'hit Breakpoint 2, answer () at')


if __name__ == '__main__':
    sys.exit(main(sys.modules[__name__]))
