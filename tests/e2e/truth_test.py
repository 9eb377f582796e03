"""The judge of the judge: `truth` accepts what agrees with a program's comments and refuses everything else."""
import copy
import tempfile
import unittest
from pathlib import Path

from truth import judge, read_truth
from watched import Failure

SOURCE = '''package main

func f(a []string) {
	b = append(a, "y") // want: ghost-write victim=first before="x" after="y" holder=heap
}
'''
RIGHT = {
    'level': 'likely', 'class': 'ghost_write',
    'site': {'function': 'main.f', 'file': '/somewhere/prog/main.go', 'line': 4}, 'stack': [],
    'element': {'before': '"x"', 'after': '"y"', 'before_hex': '00', 'after_hex': '01'},
    'victim': {'holder': 'heap', 'name': 'first in main.main'},
}


def truth_of(text):
    with tempfile.TemporaryDirectory() as folder:
        program = Path(folder) / 'prog'
        program.mkdir()
        (program / 'main.go').write_text(text)
        return read_truth(program)


def changed(**paths):
    finding = copy.deepcopy(RIGHT)
    for path, value in paths.items():
        *way, last = path.split('__')
        at = finding
        for step in way:
            at = at[step]
        at[last] = value
    return finding


class TruthTest(unittest.TestCase):
    def accepts(self, *found, text=SOURCE, stripped=False):
        return judge(truth_of(text), list(found), stripped)

    def refuses(self, *found, text=SOURCE, stripped=False, word=''):
        with self.assertRaises(Failure) as caught:
            judge(truth_of(text), list(found), stripped)
        self.assertIn(word, str(caught.exception))

    def test_what_agrees(self):
        self.accepts(RIGHT)
        self.accepts(changed(site__line=99, stack=[{'function': 'main.g', 'file': 'prog/main.go', 'line': 4}]))
        self.accepts(changed(victim__name=None), stripped=True)
        self.accepts(changed(level='confirmed'))

    def test_what_does_not(self):
        self.refuses(word='nothing found')
        self.refuses(changed(site__line=5), word='unexpected')
        self.refuses(changed(site__file='/somewhere/other/main.go'), word='unexpected')
        self.refuses(changed(victim__name='second in main.main'), word='victim')
        self.refuses(changed(victim__name='firstborn'), word='victim')
        self.refuses(changed(element__before='"z"'), word='before')
        self.refuses(changed(element__after='"yes"'), word='after')
        self.refuses(changed(victim__holder='stack'), word='holder')
        self.refuses(changed(level='suspect'), word='level')
        self.refuses(RIGHT, changed(site__line=77), word='unexpected')

    def test_idioms_are_silent(self):
        idiom = 'package main\n'
        self.accepts(text=idiom)
        self.refuses(RIGHT, text=idiom, word='unexpected')

    def test_expected_misses(self):
        miss = '// want-miss: no header\n' + SOURCE
        self.accepts(text=miss)
        self.assertIn('although', self.accepts(changed(site__line=5), text=miss))
        stripped = '// want-miss-stripped: no names\n' + SOURCE
        self.accepts(text=stripped, stripped=True)
        self.refuses(text=stripped, word='nothing found')

    def test_flags(self):
        self.assertEqual(truth_of(SOURCE).flags, [])
        self.assertEqual(truth_of('// geist: --thorough --budget=5\n' + SOURCE).flags, ['--thorough', '--budget=5'])

    def test_comments_that_cannot_be_read(self):
        for bad in ('// want: ghost-write victm=x', '// want: ghost-write victim', '// want ghost-write'):
            with self.assertRaises(Failure):
                truth_of('package main\n\nvar x = 1 ' + bad + '\n')
