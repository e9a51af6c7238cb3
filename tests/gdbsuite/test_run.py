#!/usr/bin/env python3
"""How the runner of GDB's suite judges, on results made up here: neither gdb nor a server runs."""

import contextlib
import io
import pathlib
import re
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import run  # noqa: E402


def one_run(passed, failed=()):
    results = [['PASS', name] for name in passed] + [['FAIL', name] for name in failed]
    return {'results': results, 'seconds': 1}


class Judge(unittest.TestCase):
    def judge(self, gdbserver, trapline, exemptions=()):
        results = {'native-gdbserver': {'gdb.base/a.exp': {'gdbserver': gdbserver, 'trapline': trapline}}}
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            owed = run.judge(results, exemptions)
        return owed, printed.getvalue()

    def test_the_same_owes_nothing(self):
        self.assertEqual(self.judge([one_run(['a', 'b'])], [one_run(['a', 'b', 'c'])])[0], 0)

    def test_a_pass_less_is_owed(self):
        owed, printed = self.judge([one_run(['a', 'a', 'b'])], [one_run(['a', 'b'], ['a'])])
        self.assertEqual(owed, 1)
        self.assertIn('pass with gdbserver but not with ours: 1\n    a', printed)

    def test_what_passes_when_run_again_is_said(self):
        owed, printed = self.judge([one_run(['a', 'b'])], [one_run(['a'], ['b']), one_run(['a', 'b'])])
        self.assertEqual(owed, 0)
        self.assertIn('passed with ours only when run again: 1\n    b', printed)

    def test_an_exemption_names_its_reason(self):
        owed, printed = self.judge([one_run(['trace a'])], [one_run([])], [(re.compile('trace'), 'tracepoints')])
        self.assertEqual(owed, 0)
        self.assertIn('[tracepoints]', printed)


if __name__ == '__main__':
    program = unittest.main(exit=False, verbosity=0)
    failures = len(program.result.failures) + len(program.result.errors)
    print(f'{program.result.testsRun - failures} passed, {failures} failed')
    sys.exit(1 if failures else 0)
