"""Two goroutines in one map: both sides are named where nothing keeps them apart, and nothing is said where something does.

tests/go/two_maps has three bugs and the same three made right; each line of it that takes part says so in a comment.
"""
import re

import registry
from go_builds import RELEASES, ROOT, STRIPPED
from watched import FINDINGS_EXIT, Failure, findings, run, same_run

BUGS = {'cache': ('writes', 'reads'), 'registry': ('writes', 'ranges over'), 'totals': ('writes', 'deletes from')}
RIGHT = ('mutex', 'rwmutex', 'handover')
# runtime.hmap, the first release with internal/runtime/maps, the default one, the newest
SHOWN = ['1.21.13', '1.23.12', '1.24.13', '1.26.8', '1.27.3']


def line_of(mode, role):
    source = (ROOT / 'tests' / 'go' / 'two_maps' / 'main.go').read_text().splitlines()
    found = [number for number, line in enumerate(source, 1) if f'// {mode}: {role}' in line]
    if len(found) != 1:
        raise Failure(f'{mode}: {role} is in lines {found} of the program')
    return found[0]


def both_sides(mode, release=None, flags=()):
    """Both stacks at the right line, in one of three runs at most; a run may die of the bug, and then the report says so."""
    def check(ctx):
        binary = ctx.build('two_maps', release=release, flags=flags)
        wanted = {(role, line_of(mode, role)) for role in BUGS[mode]}
        for _ in ctx.attempts():
            watched = ctx.watch.run([binary, mode], flags=('--detect=maps',))
            found = [f for f in findings(watched) if f['rule'] == 'GB010']
            sides = [{(s['role'], s['frames'][0]['line']) for s in f['stacks']} for f in found]
            died = b'fatal error: concurrent map' in watched.err
            if wanted in sides and died == any(f['ended_with'] for f in found):
                break
        if wanted not in sides:
            raise Failure(f'expected {wanted}, found {sides}')
        if died != any(f['ended_with'] for f in found):
            raise Failure(f'the program {"died" if died else "did not die"}, the report says {[f["ended_with"] for f in found]}')
        if not died and watched.out != b'done\n':
            raise Failure(f'the program printed {watched.out!r}')
        for f in found:
            if f['level'] != 'confirmed' or len(f['stacks']) != 2 or f['stacks'][0]['frames'] != f['stack']:
                raise Failure(f'a finding without two sides: {f["sentence"] if "sentence" in f else f}')
            for side in f['stacks']:
                made = side['made_at']
                if not died and not (made and made[0]['function'] == 'main.both' and side['made_by_goroutine'] == '1'):
                    raise Failure(f'goroutine {side["goroutine"]} was made at {made}, by {side["made_by_goroutine"]}')
    return check


def silent(mode, release=None, detect='maps'):
    def check(ctx):
        binary = ctx.build('two_maps', release=release)
        plain = run([binary, mode])
        watched = ctx.watch.run([binary, mode], flags=(f'--detect={detect}',))
        same_run(plain, watched)
        found = [f for f in watched.report['findings'] if f['rule'] == 'GB010']
        if found:
            raise Failure(f'{[f["words"]["sentence"] for f in found]}')
    return check


@registry.family
def of_maps(options, default):
    releases = RELEASES if options.all else [r for r in SHOWN if r in (SHOWN[0], default, SHOWN[-1])]
    for release in releases:
        for mode in BUGS:
            yield registry.Case(f'maps/{mode}/go{release}', both_sides(mode, release))
        for mode in RIGHT:
            yield registry.Case(f'maps/{mode}/go{release}', silent(mode, release))
    yield registry.Case('maps/stripped', both_sides('registry', default, STRIPPED))
    yield registry.Case('maps/pie', both_sides('cache', default, ('-buildmode=pie',)))
    yield registry.Case('maps/unoptimized', both_sides('totals', default, ('-gcflags=all=-N -l',)))
    yield registry.Case('maps/with-appends', silent('rwmutex', default, 'all'))


case = registry.group('maps')


@case
def not_unasked(ctx):
    """Without --detect=maps nobody looks, and no report has such a finding."""
    watched = ctx.watch.run([ctx.build('two_maps'), 'cache'])
    if any(f['rule'] == 'GB010' for f in watched.report['findings']):
        raise Failure('maps were looked at')


@case
def the_map_has_its_name(ctx):
    for _ in ctx.attempts():
        watched = ctx.watch.run([ctx.build('two_maps'), 'cache'], flags=('--detect=maps',))
        victims = [f['victim'] for f in findings(watched) if f['rule'] == 'GB010']
        if any(v['name'] == 'main.cache' and v['type'] == 'map[string]int' for v in victims):
            break
    else:
        raise Failure(f'expected main.cache, found {victims}')
    if watched.code not in (FINDINGS_EXIT, 2) or not re.search(r'the map: main\.cache, a map\[string\]int', watched.log):
        raise Failure(f'exit code {watched.code}, the text says {watched.log!r}')
