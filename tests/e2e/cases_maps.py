"""Two goroutines in one map: both sides are named where nothing keeps them apart, and nothing is said where something does.

tests/go/two_maps has three bugs and the same three made right; each line of it that takes part says so in a comment.

tests/go/map_walks inserts into maps that it ranges over.

tests/go/map_mix uses maps in ways that it knows and says; what --mix counts is compared with that.
"""
import json
import re

import registry
from attached import Program
from go_builds import RELEASES, ROOT, STRIPPED
from watched import FINDINGS_EXIT, Failure, findings, run, same_run

BUGS = {'cache': ('writes', 'reads'), 'registry': ('writes', 'ranges over'), 'totals': ('writes', 'deletes from')}
RIGHT = ('mutex', 'rwmutex', 'handover')
# runtime.hmap, the first release with internal/runtime/maps, the default one, the newest
SHOWN = ['1.21.13', '1.23.12', '1.24.13', '1.26.8', '1.27.3']


def line_of(mode, role, program='two_maps'):
    source = (ROOT / 'tests' / 'go' / program / 'main.go').read_text().splitlines()
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


WALKS = {'alias': 'confirmed', 'nodes': 'confirmed', 'method': 'confirmed', 'closure': 'suspect', 'lower': 'suspect',
         'leave': None, 'update': None, 'remove': None, 'clone': None}


def inserts_while_ranging(mode, release=None, flags=()):
    """The insert and the range at their lines, at the level that was earned; nothing else."""
    def check(ctx):
        binary = ctx.build('map_walks', release=release, flags=flags)
        plain = run([binary, mode])
        watched = ctx.watch.run([binary, mode], flags=('--detect=maps', '--level=suspect', '--budget=100'))
        same_run(plain, watched, code=FINDINGS_EXIT if WALKS[mode] == 'confirmed' else None)
        found = watched.report['findings']
        if [(f['rule'], f['level']) for f in found] != ([('GB011', WALKS[mode])] if WALKS[mode] else []):
            raise Failure(f'expected {WALKS[mode]}, found {[(f["rule"], f["level"], f["words"]["sentence"]) for f in found]}')
        for f in found:
            wanted = [(role, line_of(mode, role, 'map_walks')) for role in ('inserts into', 'ranges over')]
            sides = [(s['role'], s['frames'][0]['line']) for s in f['stacks']]
            if sides != wanted:
                raise Failure(f'expected {wanted}, found {sides}')
    return check


@registry.family
def of_walks(options, default):
    releases = RELEASES if options.all else [r for r in SHOWN if r in (SHOWN[0], SHOWN[1], default, SHOWN[-1])]
    for release in releases:
        for mode in WALKS:
            yield registry.Case(f'walks/{mode}/go{release}', inserts_while_ranging(mode, release))
    yield registry.Case('walks/stripped', inserts_while_ranging('alias', default, STRIPPED))
    yield registry.Case('walks/pie', inserts_while_ranging('nodes', default, ('-buildmode=pie',)))
    yield registry.Case('walks/unoptimized', inserts_while_ranging('method', default, ('-gcflags=all=-N -l',)))


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


COLUMNS = ['reads', 'updates', 'inserts', 'deletes', 'ranges', 'goroutines', 'maps', 'entries']


def counted_right(release=None, flags=()):
    """Each map by its name with the very numbers; those of one function, soon forgotten, to a hundredth."""
    def check(ctx):
        binary = ctx.build('map_mix', release=release, flags=flags)
        plain = run([binary])
        watched = ctx.watch.run([binary], flags=('--mix', '--budget=100'))
        same_run(plain, watched)
        mix = watched.report['mix']
        if mix['columns'] != COLUMNS:
            raise Failure(f'columns {mix["columns"]}')
        for line in plain.out.decode().splitlines():
            truth = json.loads(line)
            name = truth.pop('name')
            rows = [row for row in mix['rows'] if row['name'] == name or (not row['name'] and row['function'] == name)]
            if len(rows) != 1:
                raise Failure(f'{name} has {len(rows)} rows: {json.dumps(mix["rows"])[:2000]}')
            check_row(name, truth, rows[0], 0 if truth['maps'] == 1 else truth['maps'])
    return check


def check_row(name, truth, row, slack):
    """The last insert of each of several maps may count as an update, and the newest may be in no entry any more."""
    for column in COLUMNS:
        lowest, highest = truth[column] - slack, truth[column] + slack
        if not lowest <= row[column] <= highest:
            raise Failure(f'{name}: {row[column]} {column}, expected {truth[column]}: {row}')
    if sum(one['goroutines'] for one in row['goroutines_from']) != row['goroutines']:
        raise Failure(f'{name}: {row}')
    made_in = {one['function'] for one in row['goroutines_from']}
    if made_in - {'(main goroutine)', 'main.usePrices', 'main.useDesk'} or '(main goroutine)' not in made_in:
        raise Failure(f'{name}: goroutines are made in {made_in}')


@registry.family
def of_mixes(options, default):
    releases = RELEASES if options.all else SHOWN
    for release in releases:
        yield registry.Case(f'mix/go{release}', counted_right(release))
    yield registry.Case('mix/pie', counted_right(default, ('-buildmode=pie',)))
    yield registry.Case('mix/unoptimized', counted_right(default, ('-gcflags=all=-N -l',)))


mixes = registry.group('mix')


@mixes
def of_a_process(ctx):
    """Attached: the share of each operation, who does it, and the program ends as it would have."""
    with Program([ctx.build('map_mix'), 'serve']) as server:
        path = ctx.folder / 'attached.json'
        done = run([ctx.options.geist, 'attach', '--mix', '--for=2s', f'--report=json:{path}', '--log=/dev/null', str(server.pid)])
        if done.code != 0:
            raise Failure(f'geist attach: {done.code} {done.err[-600:]!r}')
        row = json.loads(path.read_text())['mix']['rows'][0]
        server.must_end_well()
    if (row['name'], row['type'], row['goroutines']) != ('main.prices', 'map[string]int', 4):
        raise Failure(f'{row}')
    # Of 36 reads of a goroutine: 2 updates (one of them of its own key, when that is there), an insert, a delete.
    for column, share in (('updates', 2 / 36), ('inserts', 1 / 36), ('deletes', 1 / 36)):
        found = row[column] / row['reads']
        if not 0.9 * share <= found <= 1.1 * share:
            raise Failure(f'{column} are {found:.4f} of the reads, expected {share:.4f}: {row}')
    return f'{row["reads"]} reads'


@mixes
def text_and_both_at_once(ctx):
    """--maps: the counts and who stands in whose way; without it neither."""
    binary = ctx.build('two_maps')
    watched = ctx.watch.run([binary, 'rwmutex'], flags=('--maps',))
    row = watched.report['mix']['rows'][0]
    if 'geist: mix: reads' not in watched.log or f'a {row["type"]}, first used in' not in watched.log:
        raise Failure(watched.log)
    if any(f['rule'] == 'GB010' for f in watched.report['findings']):
        raise Failure('a finding where a lock is')
    if ctx.watch.run([binary, 'rwmutex'], flags=('--detect=maps',)).report['mix'] is not None:
        raise Failure('counted unasked')
    if not any(f['rule'] == 'GB010' for _ in ctx.attempts() for f in findings(ctx.watch.run([binary, 'cache'], flags=('--maps',)))):
        raise Failure('--maps does not look for two at once')
