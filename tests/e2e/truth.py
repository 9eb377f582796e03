"""What a lab program says about itself, and whether a report agrees.

A bug carries its truth on the source line of the append, as a comment:

    all = append(all, x) // want: ghost-write victim=first before="x" after="y"

    victim=NAME      the name of the victim, or of one of the other victims of the same append, contains this word. Not checked in
                     stripped binaries, nor of a name that says where the victim was made only (`mine…`, `set at main.go:20`); elsewhere a victim without any name is noted, and --names makes it a failure; a wrong name
                     always fails
    holder=KIND      heap, global, stack or register
    before=, after=  the changed element; before-hex=, after-hex= the bytes it starts with
    func=GLOB        the site is this function instead of this line (appends inside of the standard library)
    level=LEVEL      at least this level, likely by default
    frames=N         this many callers of the site may be on the marked line instead of it, 3 by default

`want: refilled-buffer` marks a copy into memory that somebody still has a view of, in the same way (programs of lab/refill), and
`want: stale-slice` an append that moves an array which somebody keeps (lab/stale).
Alternatives are written a|b. `// may: ghost-write` allows a finding without asking for it. `// want-miss: reason` anywhere in
the file says that geist is known not to see this bug, `// want-miss-stripped: reason` that it does not in stripped binaries.
`// geist: FLAGS` runs the program with these flags of `geist run`.
A program without `want` is an idiom: any finding is wrong.
"""
import fnmatch
import os
import re
import shlex
from dataclasses import dataclass, field

from watched import Failure, describe

FRAMES = 3  # a site counts as found when it or one of this many callers is on the marked line
UNNAMED = 'the victim has no name in the report'
LEVELS = ['latent', 'suspect', 'likely', 'confirmed', 'proved']
_MARK = re.compile(r'//\s*(want|may): (ghost-write|refilled-buffer|stale-slice)\b(.*)$')
_CLASSES = {'ghost-write': 'ghost_write', 'refilled-buffer': 'buffer_reuse', 'stale-slice': 'stale_slice'}
_MISS = re.compile(r'//\s*(want-miss|want-miss-stripped): (\S.*)$')
_FLAGS = re.compile(r'^//\s*geist: (--\S.*)$')
_KEYS = {'victim', 'holder', 'before', 'after', 'before-hex', 'after-hex', 'func', 'level', 'frames'}


@dataclass
class Mark:
    file: str
    line: int
    wanted: bool
    fields: dict
    finding_class: str = 'ghost_write'

    def at(self, finding):
        """Whether the finding's site, or a caller close to it, is the marked place."""
        if finding.get('class', 'ghost_write') != self.finding_class:
            return False
        frames = [finding['site'], *finding.get('stack', [])[:int(self.fields.get('frames', FRAMES))]]
        if 'func' in self.fields:
            return any(fnmatch.fnmatchcase(str(f.get('function')), self.fields['func']) for f in frames)
        return any(same_file(str(f.get('file')), self.file) and f.get('line') == self.line for f in frames)

    def differences(self, finding, nameless):
        """What of the marked truth this finding does not say, as sentences."""
        victim, element = finding.get('victim') or {}, finding.get('element') or {}
        seen = {'holder': victim.get('holder'), 'before': element.get('before'), 'after': element.get('after'),
                'before-hex': element.get('before_hex'), 'after-hex': element.get('after_hex')}
        wrong = []
        names = [n for n in [victim.get('name'), *finding.get('other_victims', [])] if n]
        told = [n for n in names if not is_place_only(n)]
        if 'victim' in self.fields and not nameless and told and not any(has_word(n, self.fields['victim']) for n in told):
            wrong.append(f'victim is {victim.get("name")!r}, not {self.fields["victim"]!r}')
        for key in ('before', 'after'):
            if key in self.fields and not has_word(seen[key], self.fields[key]):
                wrong.append(f'{key} is {seen[key]!r}, not {self.fields[key]!r}')
        for key in ('before-hex', 'after-hex'):
            if key in self.fields and not any(str(seen[key]).startswith(h) for h in self.fields[key].split('|')):
                wrong.append(f'{key} is {seen[key]!r}, not {self.fields[key]!r}')
        if 'holder' in self.fields and seen['holder'] not in self.fields['holder'].split('|'):
            wrong.append(f'holder is {seen["holder"]!r}, not {self.fields["holder"]!r}')
        least = self.fields.get('level', 'likely')
        if LEVELS.index(finding['level']) < LEVELS.index(least):
            wrong.append(f'level is {finding["level"]}, not {least}')
        return wrong


@dataclass
class Truth:
    marks: list = field(default_factory=list)
    miss: str = ''
    miss_stripped: str = ''
    flags: list = field(default_factory=list)

    @property
    def wanted(self):
        return [m for m in self.marks if m.wanted]

    def unnamed(self, findings):
        """Whether the victim has a name in the program but in none of the findings of a marked line."""
        return any('victim' in m.fields and not any((f.get('victim') or {}).get('name') for f in findings if m.at(f))
                   for m in self.wanted)

    def is_bug(self):
        return bool(self.wanted)

    def expected_miss(self, stripped):
        return self.miss or (self.miss_stripped if stripped else '')


def is_place_only(name):
    return name.endswith('…') or name.startswith(('set at ', 'an earlier append to '))


def same_file(seen, wanted):
    """Paths end in the same folder and file, whatever the build put in front (trimpath, module paths)."""
    return seen.split('/')[-2:] == wanted.split('/')[-2:]


def has_word(text, alternatives):
    """Whether one of the alternatives stands in the text as a word."""
    text = str(text)
    for want in alternatives.split('|'):
        left = r'(?<![\w])' if want[:1].isalnum() else ''
        right = r'(?![\w])' if want[-1:].isalnum() else ''
        if re.search(left + re.escape(want) + right, text):
            return True
    return False


def read_truth(folder):
    """The marks of all Go files of a program. A mark that cannot be read is an error of the program."""
    truth = Truth()
    for file in sorted(folder.glob('*.go')):
        for number, line in enumerate(file.read_text().splitlines(), 1):
            where = f'{file}:{number}'
            if found := _MISS.search(line):
                setattr(truth, found[1].replace('-', '_').removeprefix('want_'), found[2])
            elif found := _FLAGS.search(line):
                truth.flags += shlex.split(found[1])
            elif found := _MARK.search(line):
                fields = {}
                for part in shlex.split(found[3]):
                    key, equals, value = part.partition('=')
                    if key not in _KEYS or not equals or not value:
                        raise Failure(f'{where}: {part!r} is no part of a truth comment')
                    fields[key] = value
                truth.marks.append(Mark(os.path.join(folder.name, file.name), number, found[1] == 'want', fields,
                                        _CLASSES[found[2]]))
            elif re.search(r'//\s*(want|may|want-miss)\b.*(ghost|refilled)', line):
                raise Failure(f'{where}: a truth comment that cannot be read')
    return truth


def judge(truth, found, stripped):
    """Fails when the findings do not agree with the truth. Gives a note when an expected miss was found after all."""
    for finding in found:
        if not any(mark.at(finding) for mark in truth.marks):
            raise Failure('unexpected finding: ' + describe(finding))
    miss = truth.expected_miss(stripped)
    note = ''
    for mark in truth.wanted:
        here = [f for f in found if mark.at(f)]
        place = mark.fields.get('func') or f'{mark.file}:{mark.line}'
        if not here:
            if miss:
                continue
            raise Failure(f'nothing found at {place}' + (': but ' + '; '.join(describe(f) for f in found) if found else ''))
        best = min((mark.differences(f, stripped) for f in here), key=len)
        if best:
            raise Failure(f'found at {place}, but {", ".join(best)}: ' + '; '.join(describe(f) for f in here))
        if miss:
            note = f'found although expected to be missed ({miss})'
    if found and not stripped and truth.unnamed(found):
        note = note or UNNAMED
    return note
