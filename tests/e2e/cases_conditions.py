"""Conditions: another growth of append, legal in every respect, and programs that do not notice it.

tests/go/capacities prints what it made of elements of many sizes, and the capacities that it got. The idioms of lab/ say the same
under each condition; programs with a bug that sleeps are right by themselves and wrong with more room.
"""
import registry
from cases_lab import in_subset, programs
from go_builds import RELEASES, STRIPPED, Build
from truth import read_truth
from watched import FINDINGS_EXIT, Failure, findings, run, same_bytes
from go_builds import ROOT

OLDEST = RELEASES[0]
TIGHT = 64
MOST_ROOM = 16 << 20
SHAPES = {'plain': ((), ()), 'stripped': (STRIPPED, ()), 'pie': (('-buildmode=pie',), ()),
          'cgo': (('-ldflags=-linkmode=external',), (('CGO_ENABLED', '1'),)), 'unoptimized': (('-gcflags=all=-N -l',), ())}


def split(out):
    lines = out.decode().splitlines()
    capacities = {}
    for line in lines:
        if line.startswith('capacity '):
            *name, size, length, capacity = line.split()[1:]
            capacities[' '.join(name)] = int(size), int(length), int(capacity)
    return [line for line in lines if not line.startswith('capacity ')], capacities


def is_grown_alone(name):
    """Its last growth was for one element more: what the array was given is known."""
    return ' nil ' in name or ' empty ' in name


def check_roomy(plain, changed):
    more = 0
    for name, (size, length, capacity) in changed.items():
        if size and capacity * size <= MOST_ROOM and (4 * length + 8) * size <= MOST_ROOM:
            more += capacity > plain[name][2]
            if ' together ' in name and capacity < 2 * length:
                raise Failure(f'{name}: len {length}, cap {capacity} under roomy')
    if more < len(changed) / 3:
        raise Failure(f'only {more} of {len(changed)} have more room under roomy')


def check_tight(changed, limit):
    for name, (size, length, capacity) in changed.items():
        if length <= limit and 'slices.Grow' not in name and capacity != length:
            raise Failure(f'{name}: len {length}, cap {capacity} under tight={limit}')


def check_capacities(ctx, release, shape):
    flags, env = SHAPES[shape]
    binary = ctx.builds.get(Build('tests/go', 'capacities', release, flags, env))
    plain = run([binary], cwd=ctx.folder)
    contents, capacities = split(plain.out)
    wrong = [line for line in contents if 'dirty spare: ' in line and not line.endswith('dirty spare: 0')]
    if plain.code or wrong or len(capacities) < 800:
        raise Failure(f'the program alone: exit code {plain.code}, {wrong[:3]}, {len(capacities)} capacities')
    for condition in 'roomy', 'tight64', 'tight=9', 'copy':
        ended = ctx.watch.run([binary], flags=[f'--condition={condition}'], cwd=ctx.folder)
        now, changed = split(ended.out)
        if now != contents or ended.code != plain.code or ended.err:
            odd = [(a, b) for a, b in zip(contents, now) if a != b]
            raise Failure(f'{condition}: exit code {ended.code}, {odd[:3]}, {ended.err[:300]!r}')
        illegal = {name: c for name, c in changed.items() if c[2] < c[1]}
        if illegal or changed.keys() != capacities.keys():
            raise Failure(f'{condition}: illegal capacities {list(illegal.items())[:3]}')
        if condition == 'roomy':
            check_roomy(capacities, changed)
        elif condition == 'copy':
            continue
        else:
            # A buffer on the stack that the code uses without a call keeps the capacity that the code has for it.
            kept = {name: c for name, c in changed.items() if ' local ' not in name}
            check_tight(kept, TIGHT if condition == 'tight64' else 9)
        if (ended.report or {}).get('conditions') != [condition]:
            raise Failure(f'the report says {ended.report and ended.report.get("conditions")}')
    return f'{len(capacities)} capacities'


def check_idiom(ctx, build):
    truth = read_truth(ROOT / 'lab' / build.package)
    binary = ctx.builds.get(build)
    plain = run([binary], cwd=ctx.folder)
    for condition in 'roomy', 'tight64':
        ended = ctx.watch.run([binary], flags=[*truth.flags, f'--condition={condition}'], cwd=ctx.folder)
        same_bytes(f'stdout under {condition}', plain.out, ended.out)
        if findings(ended) or ended.code != plain.code:
            raise Failure(f'{condition}: exit code {ended.code}, {len(findings(ended))} findings')


def check_one_site(ctx, release):
    """Of one append only: the others grow as ever."""
    binary = ctx.builds.get(Build('tests/go', 'capacities', release))
    contents, capacities = split(run([binary], cwd=ctx.folder).out)
    ended = ctx.watch.run([binary], flags=['--condition=tight64:main.oneByOne[...]:main.go:39'], cwd=ctx.folder)
    now, changed = split(ended.out)
    if now != contents:
        raise Failure('it says something else')
    others = {n for n, c in changed.items() if c != capacities[n] and not is_grown_alone(n)}
    if others:
        raise Failure(f'other appends are changed, too: {sorted(others)[:3]}')
    check_tight({n: c for n, c in changed.items() if is_grown_alone(n)}, TIGHT)


def idioms():
    return [name for name in programs() if name.startswith('ok_')]


@registry.family
def of_conditions(options, default):
    releases = options.releases or (RELEASES if options.all else [OLDEST, '1.24.13', default, RELEASES[-1]])
    for release in dict.fromkeys(releases):
        for shape in SHAPES if options.all or release == default else ['plain']:
            yield registry.Case(f'conditions/capacities/{release}/{shape}',
                                lambda ctx, r=release, s=shape: check_capacities(ctx, r, s))
        yield registry.Case(f'conditions/site/{release}', lambda ctx, r=release: check_one_site(ctx, r))
    for name in idioms():
        for release in (releases if options.all or in_subset(name) else [default]):
            build = Build('lab', name, release)
            yield registry.Case(f'conditions/{name}/go{release}', lambda ctx, b=build: check_idiom(ctx, b), build)
