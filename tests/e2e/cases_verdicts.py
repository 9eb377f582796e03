"""geist lab: no verdict is printed that was not measured. Each case is run as it is and once more with its program changed: the bug
taken out, or put in. The verdicts must follow. What is swapped is text of lab/cases; a change that no longer fits is a failure."""
import json
import os
import shutil
import subprocess

import registry
from go_builds import ROOT, Skip
from watched import Failure

case = registry.group('verdicts', alone=True)
CASES = ROOT / 'lab' / 'cases'


def geist(ctx, *words, code=(0, 1), path=None, **more):
    env = dict(os.environ, TMPDIR=str(ctx.folder / 'tmp'))
    if path is not None:
        env['PATH'] = path
    (ctx.folder / 'tmp').mkdir(exist_ok=True)
    done = subprocess.run([str(ctx.options.geist), 'lab', *map(str, words)], capture_output=True, text=True, timeout=600, env=env,
                          cwd=ctx.folder, **more)
    if done.returncode not in code:
        raise Failure(f'geist lab {words}: exit {done.returncode}, expected {code}: {done.stderr[-400:]}{done.stdout[-400:]}')
    left = os.listdir(ctx.folder / 'tmp')
    if left:
        raise Failure(f'geist lab {words} leaves {left} in the temporary folder')
    return done


def verdicts(ctx, name, changes=()):
    """Claim -> verdict of a case, with texts of its files replaced: (file, old, new)."""
    folder = ctx.folder / 'cases'
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(CASES / name, folder / name)
    for file, old, new in changes:
        text = (folder / name / file).read_text()
        if old not in text:
            raise Failure(f'{name}/{file} has no {old!r}: the test is to be written anew')
        (folder / name / file).write_text(text.replace(old, new))
    document = json.loads(geist(ctx, name, '--json', f'--cases={folder}').stdout)
    result = document['runs'][0]['cases'][0]
    if result['notes'] and not changes:
        raise Failure(f'{name}: {result["notes"]}')
    return {claim['claim']: (claim['verdict'], claim['figure']) for claim in result['claims']}


def follows(name, changes, wanted, needs=None):
    """wanted: part of a claim -> verdict as it is, verdict of the changed program."""
    def check(ctx):
        if needs and not shutil.which(needs):
            raise Skip(f'no {needs}')
        before, after = verdicts(ctx, name), verdicts(ctx, name, changes)
        for part, (as_it_is, changed) in wanted.items():
            claim = next((text for text in before if part in text), None)
            if claim is None:
                raise Failure(f'{name} has no claim with {part!r}')
            for what, verdict, found in (('as it is', as_it_is, before), ('changed', changed, after)):
                if found[claim][0] != verdict:
                    raise Failure(f'{name}, {what}: {claim!r} is {found[claim][0]}, not {verdict}: {found[claim][1]}')
        return f'{len(before)} claims'
    return check


CLIPPED = ('append(base, word) //', 'append(base[:len(base):len(base)], word) //')
DOUBLING = """if len(s) == cap(s) {
			t := make([]T, len(s), 2*cap(s)+number(cap(s) == 0))
			copy(t, s)
			s = t
		}
		s = append(s, zero)"""
NUMBER = """
func number(b bool) int {
	if b {
		return 1
	}
	return 0
}
"""

# Case -> the changes (file, old, new), and for some of its claims the verdict as it is and the one of the changed program.
TABLE = {
    'orders': ([
        ('measure.go', 'orders[start:end:limit]', 'orders[start:end:end+0*limit]'),
        ('main.go', 'orders[start : start+chunkSize] //', 'orders[start : start+chunkSize : start+chunkSize] //'),
    ], {
        '3.7%': ('depends', 'false'),
        'comes and goes': ('true', 'false'),
        'race detector': ('true', 'false'),
        'geist finds': ('true', 'false'),
    }),
    'configuration': ([
        ('measure.go', 'grown[0].value.Store(1)', 'grown[0].value.Store(1)\n\tkept[0].value.Store(1)'),
        ('measure.go', '_ = append(shared, 2)', '_ = append(shared[:3:3], 2)'),
        ('measure.go', 'load(&c, names[:n]...)', 'c = config{}\n\t\tload(&c, names[:n]...)'),
    ], {
        'only for a moment': ('false', 'true'),
        'is overwritten by the other': ('true', 'false'),
        'json.Unmarshal': ('false', 'true'),
    }),
    'header': ([
        ('measure.go', 't := append(s, 1)', 't := append(s[:len(s):len(s)], 1)'),
        ('measure.go', 'b := a', 'b := &a'),
        ('measure.go', 's = append(s, zero)', DOUBLING),
        ('measure.go', 'var heap any', NUMBER + 'var heap any'),
    ], {
        'assigning an array': ('true', 'false'),
        'share one array': ('depends', 'false'),
        'doubles the capacity': ('depends', 'true'),
        'same for every size': ('false', 'true'),
    }),
    'clip': ([
        ('measure.go', 'reached(whole[0:2:2+room], whole)', 'reached(whole[0:2], whole)'),
        ('measure.go', 'whole = bytearray(200); part = whole[50:150]; whole[50] = 7',
         'whole = bytearray(200); part = memoryview(whole)[50:150]; whole[50] = 7'),
        ('measure.go', 'sink = whole[0:2:2] })', 'sink = append([]int(nil), whole[0:2]...) })'),
        ('measure.go', 'k := cap(whole) + 1', 'k := cap(whole)'),
    ], {
        'from reaching what follows': ('true', 'false'),
        'limits how far': ('true', 'depends'),
        's[i:j:j] copies': ('false', 'true'),
        'is a panic': ('true', 'false'),
        'slices of a bytearray': ('false', 'true'),
    }),
    'race': ([
        ('main.go', *CLIPPED),
        ('measure.go', 'mine := append(base, g+1)', 'mine := append(base[:2:2], g+1)'),
    ], {
        'lost in every run': ('true', 'false'),
        'race detector': ('true', 'false'),
        'geist finds': ('true', 'false'),
    }),
    'repair': ([
        ('measure.go', 'sink = list[:8:8]', 'sink = append([]int(nil), list[:8]...)'),
        ('measure.go', 'append(append(own[:0], list[:n]...), 1)', 'append(append(append([]int(nil), own[:0]...), list[:n]...), 1)'),
        ('measure.go', 'make([]int, n, n+1); copy', 'make([]int, n, 3*n); copy'),
    ], {
        'clip costs nothing': ('true', 'false'),
        'fewer bytes': ('true', 'false'),
        'own array allocate nothing': ('true', 'depends'),
    }),
    'map-internals': ([
        ('measure.go', 'given[key]++', 'given[key] += 2\n\t\t\tdelete(m, (key+1)%8)'),
        ('measure.go', '{"internal/runtime/maps.Map", "used", ""}', '{"internal/runtime/maps.Other", "used", ""}'),
    ], {
        'gives a key twice': ('false', 'true'),
        'misses a key': ('false', 'true'),
        'an hmap with buckets': ('false', 'undecided'),
    }),
    'range': ([
        ('measure.go', 'delete(m, k)\n', 'delete(m, k)\n\t\t\t\tpanic("as the article says")\n'),
        ('measure.go', 'm[-1] = true', 'm[0] = true'),
        ('measure.go', 'for _, v := range s {', 'for i := 0; i < len(s) && i < 10; i++ {\n\t\tv := s[i]'),
        ('measure.go', 'list = append(list[:i], list[i+1:]...)', 'list = append(append([]int(nil), list[:i]...), list[i+1:]...)'),
        ('measure.go', 'maps.Keys(', 'maps.NoSuchFunction('),
    ], {
        'in a loop over it panics': ('false', 'true'),
        'is chance': ('true', 'false'),
        'visits what is appended': ('false', 'true'),
        'visits each element once': ('false', 'true'),
        'has a function Keys': ('true', 'false'),
    }),
    'map-concurrent': ([
        ('measure.go', '\t\t\tside(m)', '\t\t\tguard.Lock()\n\t\t\tside(m)\n\t\t\tguard.Unlock()'),
        ('measure.go', 'var keep int', 'var guard sync.Mutex\n\nvar keep int'),
        ('main.go', 'visits[page]++ //', 'guard.Lock()\n\t\tvisits[page]++\n\t\tguard.Unlock() //'),
    ], {
        'the message is': ('depends', 'undecided'),
        'names both sides, more': ('false', 'undecided'),
        'race detector': ('true', 'false'),
    }),
    'sync-map': ([
        ('measure.go', 'l.m[k] = v', 'for i := 0; i < 300; i++ {\n\t\tl.m[k] = i & 0\n\t}\n\tl.m[k] = v'),
    ], {
        'where half is writes': ('true', 'false'),
    }),
    'list': ([
        ('measure.go', 'panics(func() { l.Remove(e) })', 'panics(func() { _ = e.Next().Value })'),
        ('measure.go', 'for e := l.Front(); e != nil; e = e.Next() {\n\t\tl.Remove(e)\n',
         'for e := l.Front(); e != nil; e = l.Front() {\n\t\tl.Remove(e)\n'),
        ('measure.go', 'return func() any { return e.Value }', 'return nil'),
        ('measure.go', 'c <- e; return c', 'c <- nil; return c'),
        ('measure.go', 'elements = append(elements, e)', '_ = e'),
    ], {
        'removing an element twice': ('false', 'true'),
        'removes all': ('false', 'true'),
        'keeps its value': ('depends', 'false'),
        'geist snap': ('true', 'false'),
    }),
    'pushback': ([
        ('measure.go', 'l.PushBack(five)', 'l.PushBack(nil)'),
        ('measure.go', 'l.PushBack(thousand)', 'l.PushBack(nil)'),
        ('measure.go', 'l.PushBack(pointer)', 'l.PushBack(*pointer)'),
    ], {
        'does not escape': ('false', 'true'),
        'a pointer in PushBack': ('true', 'false'),
    }),
    'own-list': ([
        ('measure.go', 'runtime.SetFinalizer(n, func(*node) {})', '_ = n'),
        ('main.go', '// the repair: n.next, n.prev = nil, nil', 'n.next, n.prev = nil, nil'),
    ], {
        'a cycle keeps memory': ('depends', 'false'),
        'keeps the rest of the list': ('depends', 'false'),
    }),
    'debugger': ([
        ('measure.go', 'collect(make([]string, 2), "grown")', 'collect(make([]string, 2, 4), "grown")'),
        ('measure.go', 'events := make([]string, 2, 4)', 'events := make([]string, 2)'),
        ('measure.go', 'first[2] != "logout"', 'first[2] == "logout"'),
        ('measure.go', 'fill()', 'appendAll()'),
    ], {
        'stops at an append that grows': ('true', 'false'),
        'stops at the append that overwrites': ('false', 'true'),
        'heap?debug=1': ('false', 'true'),
        '-focus': ('false', 'true'),
    }),
}
# What a case needs beside Go.
NEEDS = {'clip': 'python3', 'debugger': 'gdb'}

for _name in sorted(path.parent.name for path in CASES.glob('*/case')):
    if _name not in TABLE:
        raise ValueError(f'lab/cases/{_name}: no change of its program is tested here')
    case.add(_name, follows(_name, *TABLE[_name], needs=NEEDS.get(_name)))


@case
def no_facts_no_verdict(ctx):
    """A program that measures nothing leaves its claims undecided, and the exit status says so."""
    folder = ctx.folder / 'own'
    (folder / 'silent').mkdir(parents=True)
    (folder / 'silent' / 'case').write_text('title: t\npage:\n    p\nclaim: c\nif: lost > 0\nfigure: {lost}\n')
    (folder / 'silent' / 'main.go').write_text('package main\n\nfunc main() {\n\tprintln("fact lost 3")\n}\n')
    done = geist(ctx, 'silent', f'--cases={folder}', code=(1,))
    if 'undecided: no program told "lost"' not in done.stdout:
        raise Failure(done.stdout)


@case
def hostile_facts(ctx):
    """Facts that are none are counted; a program cannot say what geist saw; one that does not end is ended."""
    folder = ctx.folder / 'own'
    (folder / 'liar').mkdir(parents=True)
    (folder / 'liar' / 'case').write_text('title: t\ntimeout: 2\nclaim: c\nif: geist.findings > 5\nfigure: {geist.findings}\nclaim: d\nif: cpus > 0\nfigure: {a}\n')
    (folder / 'liar' / 'main.go').write_text(
        'package main\n\nimport (\n\t"fmt"\n\t"time"\n)\n\nfunc main() {\n\tfmt.Println("fact geist.findings 7")\n'
        '\tfmt.Println("fact a \\x1b[31mred")\n\ttime.Sleep(time.Hour)\n}\n')
    done = geist(ctx, 'liar', f'--cases={folder}')
    for text in ('true: \\x1b[31mred', 'undecided: geist left no report', 'did not end in time', '1 line that is no fact:'):
        if text not in done.stdout:
            raise Failure(f'no {text!r} in {done.stdout}')


@case
def bad_input(ctx):
    """One sentence, exit 3, and nothing left."""
    folder = ctx.folder / 'own'
    (folder / 'broken').mkdir(parents=True)
    (folder / 'broken' / 'case').write_text('title: t\nclaim: c\nif: 1\nfigure: f\n')
    (folder / 'broken' / 'main.go').write_text('package main\n\nfunc main() { undefined() }\n')
    (folder / 'wrong').mkdir()
    (ctx.folder / 'empty').mkdir()
    for words, path, text in [
        (('orders',), '/nowhere', 'go: No such file or directory'),
        (('broken', f'--cases={folder}'), None, 'undefined: undefined'),
        (('order',), None, 'Did you mean orders?'),
        (('orders', '--html=/nowhere/page.html'), None, '/nowhere/page.html: No such file or directory'),
        (('orders', f'--cases={ctx.folder}/empty'), None, 'no folder in it has a file "case"'),
        (('orders', f'--cases={ctx.folder}/none'), None, 'No such file or directory'),
        (('orders', '--go=1.1.1'), None, 'go1.1.1'),
    ]:
        done = geist(ctx, *words, code=(3,), path=path)
        if text not in done.stderr or done.stdout or len(done.stderr.splitlines()) > 2:
            raise Failure(f'{words}: {done.stderr!r} {done.stdout[:200]!r}')
    (folder / 'wrong' / 'case').write_text('title: t\nnonsense\n')
    done = geist(ctx, 'wrong', f'--cases={folder}', code=(3,))
    if 'wrong/case: line 2: expected "key: value"' not in done.stderr:
        raise Failure(done.stderr)


@case
def over_releases(ctx):
    """A verdict that changed with a release says so, and each release has its figure."""
    for release in ('1.21.13', '1.26.8'):
        ctx.builds.require(release)
    document = json.loads(geist(ctx, 'map-internals', '--json', '--go=1.21.13,1.26.8').stdout)
    words = {row['claim']: row['words'] for row in document['over_releases']}
    if words['a map is an hmap with buckets'] != 'true until Go 1.21, false since Go 1.26':
        raise Failure(f'{words}')
    if [run['go'] for run in document['runs']] != ['go1.21.13', 'go1.26.8']:
        raise Failure(f'{[run["go"] for run in document["runs"]]}')


@case
def without_python_and_gdb(ctx):
    """What cannot be decided says why; everything else of the case is decided."""
    go = os.path.dirname(shutil.which('go'))
    for name, part, why in (('clip', "Python's slices", 'no python3 in PATH'), ('debugger', 'p *slice.ptr', 'no gdb in PATH')):
        document = json.loads(geist(ctx, name, '--json', path=go, code=(1,)).stdout)
        for claim in document['runs'][0]['cases'][0]['claims']:
            if part in claim['claim'] and (claim['verdict'], claim['figure']) != ('undecided', why):
                raise Failure(f'{claim}')
            if claim['verdict'] == 'undecided' and claim['figure'] != why:
                raise Failure(f'{claim}')


@case
def without_a_c_compiler(ctx):
    """-race needs one: that is said, and the rest is decided."""
    go = shutil.which('go')
    document = json.loads(geist(ctx, 'orders', '--json', path=f'{os.path.dirname(go)}', code=(1,)).stdout)
    result = document['runs'][0]['cases'][0]
    race = next(sight for sight in result['sees'] if sight['way'] == '-race')
    if race['ran'] or not race['words'].startswith('cannot be built'):
        raise Failure(f'{race}')
    by_claim = {claim['claim']: claim for claim in result['claims']}
    if by_claim['the race detector finds it']['verdict'] != 'undecided':
        raise Failure(f'{by_claim}')


@case
def interrupted(ctx):
    """Ctrl-C ends what runs and leaves no folder."""
    env = dict(os.environ, TMPDIR=str(ctx.folder))
    process = subprocess.Popen([str(ctx.options.geist), 'lab', 'orders'], env=env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    try:
        process.wait(timeout=0.7)
    except subprocess.TimeoutExpired:
        process.send_signal(2)
    process.wait(timeout=60)
    left = [name for name in os.listdir(ctx.folder) if name.startswith('geist-')]
    if left:
        raise Failure(f'left behind: {left}')


@case
def html_page(ctx):
    """The page has the claims, and loads nothing."""
    geist(ctx, 'orders', f'--html={ctx.folder}/page.html')
    page = (ctx.folder / 'page.html').read_text()
    for text in ('3.7% of the orders', 'append to chunk 0', '</html>', "default-src 'none'"):
        if text not in page:
            raise Failure(f'no {text!r} in the page')
    if '<script' in page or 'src=' in page.replace("-src", ''):
        raise Failure('the page loads something')


slow = registry.group('verdicts', alone=True, slow=True)


@slow
def everything_is_decided(ctx):
    """All cases in one table, none undecided, and on a machine with nothing else to do in less than four minutes."""
    for program in (*NEEDS.values(), 'gcc'):
        if not shutil.which(program):
            raise Skip(f'no {program}')
    busy = os.getloadavg()[0] > (os.cpu_count() or 1)
    document = json.loads(geist(ctx, '--all', '--json').stdout)
    run = document['runs'][0]
    for result in run['cases']:
        for claim in result['claims']:
            if claim['verdict'] == 'undecided':
                raise Failure(f'{result["name"]}: {claim}')
    if run['wall_ms'] > 240_000 and not busy:
        raise Failure(f'{run["wall_ms"] / 1000:.0f} s, at most 240')
    return f'{len(run["cases"])} cases in {run["wall_ms"] / 1000:.0f} s'
