#!/usr/bin/env python3
"""Many threads at the prompt: one command for all of them, their names, and stacks that several have in common."""

import re
import sys

from harness import BUILD, equal, holds, main
from test_debugging import same_as_gdb

PROGRAM = BUILD / 'tests/cli/cli-crowd'
SETTING = ['break ready', 'run']


def like_gdb(place, *commands):
    same_as_gdb(place, [*SETTING, *commands, 'kill'], program=PROGRAM)


def session(place, *commands):
    """What is said after the stop."""
    text = '\n'.join([*SETTING, 'echo BEHIND\\n', *commands, 'kill', ''])
    done = place.run('-q', '-nx', '-ex', 'set width 0', PROGRAM, text=text)
    return re.sub(r'\(trapline\) ', '', done.stdout).split('BEHIND\n', 1)[1], done.stderr


def test_flags_of_thread_apply_as_gdb_has_them(place):
    like_gdb(place, 'thread apply all -q print 1', 'thread apply all -ascending print $_', 'thread apply 2 3 -q print 2',
             'thread apply 2-4 -c print nosuch', 'thread apply 2-4 -s print nosuch', 'thread apply 1 2 -s print count',
             'thread apply all -q -ascending print 3', 'thread apply 1-2 -- print 4', 'thread')


def test_an_error_ends_thread_apply_and_the_thread_is_the_one_before(place):
    like_gdb(place, 'thread apply 3 2 print nosuch', 'thread', 'thread apply all -s -c print 1', 'thread apply all',
             'thread apply 9 print 1')


def test_frames_one_by_one_as_gdb_has_them(place):
    like_gdb(place, 'frame apply all -q print 1', 'frame apply 1 print count', 'frame apply -1 -q print $pc == 0',
             'frame apply level 0-1 -q print 2', 'frame apply all -s print count', 'frame apply all -c print nosuch', 'frame')


def test_what_says_nothing_is_left_out_as_in_gdb(place):
    like_gdb(place, 'taas print own', 'faas print count', 'tfaas print own', 'tfaas -q print own')


def test_threads_are_named_and_found_as_in_gdb(place):
    like_gdb(place, 'thread name boss', 'info threads 1', 'info threads -gid 1 3', 'thread find bos*', 'thread find ^cli',
             'thread apply 1 print 1', 'thread name', 'info threads 1', 'info threads 40', 'thread find nobody')


def test_a_thread_with_a_name_is_told_by_it(place):
    said, _ = session(place, 'thread name boss', 'tbreak exit', 'continue')
    holds(said, 'Thread 1 "boss" hit Temporary breakpoint')


def test_stacks_that_threads_share_are_shown_once(place):
    said, errors = session(place, 'thread stacks', 'thread')
    groups = re.findall(r'^Threads? (\S+) \((.*)\):\n((?:#.*\n)+)', said, re.MULTILINE)
    equal([(numbers, rest) for numbers, rest, _ in groups[:2]], [('2-5', '4'), ('6-7', '2')], said)
    equal(len(groups), 3, said)
    holds(groups[0][2], ' reader (...) at ')
    holds(groups[1][2], ' other_reader (...) at ')
    # Who is alone is shown as ever, values and all; the thread that was selected is so still.
    holds(groups[2][2], 'ready (count=6) at ')
    holds(said, '[Current thread is 1 ')
    equal(errors, '')


def test_only_so_many_frames_count_if_that_is_wanted(place):
    said, _ = session(place, 'thread stacks 1')
    holds(said, 'Threads 2-7 (6):\n')
    equal(len(re.findall(r'^#', said, re.MULTILINE)), 2, said)
    _, errors = session(place, 'thread stacks 0')
    holds(errors, 'from 1 on')


if __name__ == '__main__':
    sys.exit(main(sys.modules[__name__]))
