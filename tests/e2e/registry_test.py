"""The rules of registry.py: names, repeats, and when a run of the tests has repeated too much."""
import argparse
import unittest
from unittest import mock

import registry


class Names(unittest.TestCase):
    def setUp(self):
        for place in (mock.patch.object(registry, '_named', []), mock.patch.object(registry, '_families', []),
                      mock.patch.object(registry.Path, 'glob', lambda *_: [])):
            place.start()
            self.addCleanup(place.stop)

    def test_come_from_groups_and_functions(self):
        case = registry.group('faults')

        @case
        def no_disk(_):
            pass

        registry.group('faults/bad-').add('end', no_disk)
        registry.group('slow', slow=True, alone=True).add('hours', no_disk)
        registry.family(lambda options, default: [registry.Case(f'lab/x/go{default}', no_disk)])
        names = lambda slow: [c.name for c in registry.all_cases(argparse.Namespace(slow=slow), '1.26.8')]
        self.assertEqual(names(False), ['lab/x/go1.26.8', 'faults/no-disk', 'faults/bad-end'])
        self.assertEqual(names(True)[-1], 'slow/hours')

    def test_are_given_once(self):
        case = registry.group('faults')
        case.add('one', None)
        case.add('one', None)
        with self.assertRaisesRegex(ValueError, 'faults/one'):
            registry.all_cases(argparse.Namespace(slow=False), '1.26.8')


class Repeats(unittest.TestCase):
    def test_are_counted_from_the_second_run_on(self):
        ctx = registry.Context(None, None, None, '', None)
        for _ in ctx.attempts():
            break
        self.assertEqual(ctx.repeats, 0)
        self.assertEqual(len(list(ctx.attempts(3))), 3)
        self.assertEqual(ctx.repeats, 2)

    def test_fail_a_run_above_two_in_a_hundred(self):
        some = {f'case{i}': 1 for i in range(8)}
        self.assertEqual(registry.judge_repeats(400, {}), ('', False))
        line, fails = registry.judge_repeats(400, some)
        self.assertFalse(fails)
        self.assertIn('8 of 400 cases were repeated, 8 more runs', line)
        line, fails = registry.judge_repeats(400, {**some, 'case8': 2})
        self.assertTrue(fails)
        self.assertTrue(line.startswith('FAIL repeats: 9 of 400 cases were repeated, 10 more runs'))

    def test_of_three_cases_fail_nothing(self):
        self.assertFalse(registry.judge_repeats(5, {'a': 2, 'b': 1, 'c': 1})[1])


if __name__ == '__main__':
    unittest.main()
