"""geist lab: no verdict is printed that was not measured. Each case is run as it is and once more with its program changed: the bug
taken out, or put in. The verdicts must follow. What is swapped is text of lab/cases; a change that no longer fits is a failure."""
import json
import os
import shutil
import subprocess

import registry
from go_builds import ROOT
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


def follows(name, changes, wanted):
    """wanted: part of a claim -> verdict as it is, verdict of the changed program."""
    def check(ctx):
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


case.add('orders', follows('orders', [
    ('measure.go', 'orders[start:end:limit]', 'orders[start:end:end+0*limit]'),
    ('main.go', 'orders[start : start+chunkSize] //', 'orders[start : start+chunkSize : start+chunkSize] //'),
], {
    '3.7%': ('depends', 'false'),
    'comes and goes': ('true', 'false'),
    'race detector': ('true', 'false'),
    'geist finds': ('true', 'false'),
}))


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
