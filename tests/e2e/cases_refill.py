"""Programs of lab/refill and lab/stale: what `geist run --detect=append,refill` (or stale) says of them agrees with the truth in their comments, and
without the flag nobody looks at copies or growth at all."""
import registry
from cases_lab import says_it_did_not_look
from go_builds import RELEASES, ROOT, STRIPPED, Build
from truth import judge, read_truth
from watched import FINDINGS_EXIT, Failure, findings, run, same_run

KINDS = ['refill', 'stale']


def programs(kind):
    return sorted(p.parent.name for p in (ROOT / 'lab' / kind).glob('*/main.go'))


def check(ctx, build, stripped):
    flags = [f'--detect=append,{build.package.split("/")[0]}']
    truth = read_truth(ROOT / 'lab' / build.package)
    binary = ctx.builds.get(build)
    plain = run([binary], cwd=ctx.folder)
    if truth.is_bug() != plain.last_line().startswith('WRONG') or plain.code != 0:
        raise Failure(f'plain, the program says {plain.last_line()!r} and exits with {plain.code}: the lab is wrong')
    for _ in ctx.attempts():
        watched = ctx.watch.run([binary], flags=flags, cwd=ctx.folder)
        found = findings(watched)
        if found or not truth.wanted or not says_it_did_not_look(watched):
            break
    note = judge(truth, found, stripped)
    same_run(plain, watched, code=FINDINGS_EXIT if found else plain.code)
    return note


def check_off(ctx, build):
    """Not asked for, it finds nothing, and no copy is probed."""
    watched = ctx.watch.run([ctx.builds.get(build)], cwd=ctx.folder)
    if found := findings(watched, 'suspect'):
        raise Failure(f'found although not asked for: {found[0]["rule"]}')


def check_follow(ctx, build, detect):
    """What a command starts is looked at in the same way."""
    binary = ctx.builds.get(build)
    truth = read_truth(ROOT / 'lab' / build.package)
    plain = run([binary], cwd=ctx.folder)
    for _ in ctx.attempts():
        watched = ctx.watch.run(['sh', '-c', f'{binary}; exit $?'], flags=[f'--detect={detect}', '--follow'], cwd=ctx.folder)
        if found := findings(watched):
            break
    note = judge(truth, found, False)
    same_run(plain, watched, code=FINDINGS_EXIT)
    return note


@registry.family
def of_refill(options, default):
    releases = options.releases or (RELEASES if options.all else sorted({RELEASES[0], default}))
    for what in KINDS:
        for name in programs(what):
            for release in releases:
                build = Build('lab', f'{what}/{name}', release)
                yield registry.Case(f'{what}/{name}/go{release}', lambda ctx, b=build: check(ctx, b, False), build)
            for kind, flags in (('stripped', STRIPPED), ('pie', ('-buildmode=pie',))):
                build = Build('lab', f'{what}/{name}', default, flags)
                yield registry.Case(f'{what}/{name}/go{default}/{kind}', lambda ctx, b=build, s=kind == 'stripped': check(ctx, b, s), build)
    for what, name in (('refill', 'bug_pooled_answer'), ('stale', 'bug_best_score')):
        build = Build('lab', f'{what}/{name}', default)
        yield registry.Case(f'{what}/off', lambda ctx, b=build: check_off(ctx, b), build)
        for detect in (f'append,{what}', 'all'):
            yield registry.Case(f'{what}/follow/{detect}', lambda ctx, b=build, d=detect: check_follow(ctx, b, d), build)
