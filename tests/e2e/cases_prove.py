"""geist prove without a finding and without being told what is right: `unseen/…`.

Bugs of lab/ are proved, by their findings or without (--no-judge: nobody watches). A change that makes a right program wrong is
never called a bug: programs marked `// heal-changes:` show both outcomes at most, and all other honest programs nothing.
"""
import json

import registry
from cases_heal import has_mark
from cases_lab import in_subset, programs
from go_builds import ROOT, Build
from truth import read_truth
from watched import Failure, brief, run

# Bugs whose room came from append itself: known without a victim, a test or an exit status.
BY_CAPACITY = ['bug_siblings', 'bug_closure', 'bug_struct24', 'bug_paths', 'bug_logger_with', 'bug_query']


def prove(ctx, binary, *flags, arguments=()):
    report = ctx.folder / 'prove.json'
    report.unlink(missing_ok=True)
    ended = run([ctx.watch.geist, 'prove', '--runs=2', f'--report=json:{report}', *flags, '--', binary, *arguments], cwd=ctx.folder)
    if not report.exists():
        raise Failure(f'no report, exit code {ended.code}: {brief(ended.err.decode())}')
    ended.report = json.loads(report.read_text())
    return ended


def proved(ended):
    return [f for f in ended.report['findings'] if f['level'] == 'proved']


def check_unwatched(ctx, build):
    """Nothing but runs tells: the append is at a marked line, and has no victim."""
    ended = prove(ctx, ctx.builds.get(build), '--no-judge')
    text = '\n'.join(p.read_text() for p in sorted((ROOT / 'lab' / build.package).glob('*.go')))
    lines = {n for n, line in enumerate(text.splitlines(), 1) if 'want: ghost-write' in line}
    found = proved(ended)
    if ended.code != 1 or not any(f['site']['line'] in lines for f in found):
        raise Failure(f'exit code {ended.code}, proved at {[f["site"]["line"] for f in found]}, not at {lines}: {brief(ended.err.decode())}')
    if any(f['victim']['name'] or not f['proof'] or not f['fingerprint'] for f in found):
        raise Failure(f'a victim that nobody looked for, or no proof: {found}')
    if '1 ghost write (1 proved)' not in ended.err.decode() and len(found) == 1:
        raise Failure(f'the last line does not agree: {brief(ended.err.decode())}')


def check_honest(ctx, build):
    ended = prove(ctx, ctx.builds.get(build))
    other = {c['kind'] for c in ended.report['other_changes']}
    if ended.code != 0 or proved(ended):
        raise Failure(f'exit code {ended.code}, proved {[(f["site"]["function"], f["site"]["line"]) for f in proved(ended)]}')
    changes = has_mark(ROOT / build.module / build.package, 'heal-changes')
    if bool(other) != changes or not other <= {'undecided', 'relies_on_sharing'}:
        raise Failure(f'other changes: {other}; marked heal-changes: {changes}')


def tells_by_exit_status(kind):
    def check(ctx):
        ended = prove(ctx, ctx.build('relies'), arguments=[kind])
        found, other = proved(ended), {c['kind'] for c in ended.report['other_changes']}
        wanted = {'fails': (1, set()), 'passes': (0, {'relies_on_sharing'})}[kind]
        if (len(found), other) != wanted:
            raise Failure(f'{len(found)} proved, {other}, not {wanted}: {brief(ended.err.decode())}')
    return check


case = registry.group('unseen')
case.add('failed-before', tells_by_exit_status('fails'))
case.add('passed-before', tells_by_exit_status('passes'))


@registry.family
def of_lab(options, default):
    for name in BY_CAPACITY:
        build = Build('lab', name, default)
        yield registry.Case(f'unseen/{name}/go{default}', lambda ctx, b=build: check_unwatched(ctx, b), build)
    for name in programs():
        truth = read_truth(ROOT / 'lab' / name)
        marked = has_mark(ROOT / 'lab' / name, 'heal-changes')
        if truth.is_bug() or not name.startswith('ok_') or not (options.all or marked or in_subset(name)):
            continue
        build = Build('lab', name, default)
        yield registry.Case(f'unseen/{name}/go{default}', lambda ctx, b=build: check_honest(ctx, b), build)
    for path in sorted((ROOT / 'tests/go/honest').glob('*/main.go')):
        build = Build('tests/go', f'honest/{path.parent.name}', default)
        yield registry.Case(f'unseen/honest/{path.parent.name}', lambda ctx, b=build: check_honest(ctx, b), build)
