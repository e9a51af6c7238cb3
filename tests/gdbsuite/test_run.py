#!/usr/bin/env python3
"""How the runner of GDB's suite judges, on results made up here: neither gdb nor a server runs."""

import contextlib
import io
import pathlib
import re
import sys
import types
import unittest
import unittest.mock

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


class Again(unittest.TestCase):
    """What runs in which order, with runs made up here."""

    def run_all(self, outcomes, runs=3):
        """outcomes: {(server, test): [passes of the first run, …]}, the last for all further ones."""
        ran = []

        def run_test(_options, folder, _board, test):
            passed = outcomes[folder, test]
            ran.append((folder, test))
            return one_run(passed[min(ran.count((folder, test)), len(passed)) - 1])

        options = types.SimpleNamespace(work='', jobs=1, runs=runs, verbose=False)
        tests = {'board': sorted({test for _, test in outcomes})}
        replaced = {'configure': lambda _suite, _work, server, _path, _board: server, 'run_test': run_test}
        with unittest.mock.patch.multiple(run, **replaced), contextlib.redirect_stdout(io.StringIO()):
            results = run.run_all(options, None, [(server, '') for server in ('gdbserver', 'trapline')], tests, {})
        return ran, results['board']

    def test_what_lacks_runs_again_when_all_else_is_done(self):
        ran, results = self.run_all({('gdbserver', 'a'): ['x'], ('trapline', 'a'): ['', 'x'],
                                     ('gdbserver', 'b'): ['x'], ('trapline', 'b'): ['x']})
        self.assertEqual([test for _, test in ran], ['a', 'a', 'b', 'b', 'a', 'a'])
        self.assertEqual({server for server, _ in ran[4:]}, {'gdbserver', 'trapline'})
        self.assertFalse(run.lacking(results['a']))

    def test_what_always_lacks_runs_three_times(self):
        ran, results = self.run_all({('gdbserver', 'a'): ['x'], ('trapline', 'a'): ['']})
        self.assertEqual(ran.count(('trapline', 'a')), 3)
        self.assertEqual(ran.count(('gdbserver', 'a')), 3)
        self.assertEqual(sum(run.lacking(results['a']).values()), 1)

    def test_what_passes_with_ours_only_does_not_run_again(self):
        ran, _ = self.run_all({('gdbserver', 'a'): [''], ('trapline', 'a'): ['x']})
        self.assertEqual(len(ran), 2)


if __name__ == '__main__':
    program = unittest.main(exit=False, verbosity=0)
    failures = len(program.result.failures) + len(program.result.errors)
    print(f'{program.result.testsRun - failures} passed, {failures} failed')
    sys.exit(1 if failures else 0)
