"""Points that are no appends: found and planned in programs of every release, and a program with something at each of them
that behaves as it does without.

tests/go/points knows how often it passes what it has of its own; what is in Go's library and runtime is passed at all.
"""
import json

import registry
from go_builds import RELEASES, ROOT, STRIPPED, Build
from watched import Failure, run, same_bytes

OLDEST = RELEASES[0]
ROUNDS = {'main.deep': 3001 + sum(501 + i for i in range(8)), 'main.wide': 51 + 8 * 21, 'main.leaf': 5000 + 8 * 20000,
          'main.two': 5000, 'main.risky': 100}
LISTS_REMOVED, POOL_PUTS = 300, 700

# A request, and how often its points are passed: a number, 'some', or None where that is not known. The functions are in
# every release.
EXACT = [('entry', name, times) for name, times in ROUNDS.items()]
EXACT += [('return', name, times) for name, times in ROUNDS.items() if name != 'main.risky']
EXACT += [('call\tmain.main', 'main.two', 5000), ('after_call\tmain.main', 'main.two', 5000)]
LIBRARY = [('entry', 'runtime.mapassign*'), ('entry', 'runtime.mapaccess*'), ('entry', 'runtime.mapdelete*'),
           ('return', 'runtime.mapassign*'), ('entry', 'runtime.growslice'), ('return', 'runtime.growslice'),
           ('after_call\t-', 'runtime.growslice'), ('call\t-', 'runtime.memmove'), ('entry', 'runtime.memmove'),
           ('entry', 'runtime.mallocgc'), ('return', 'runtime.mallocgc'), ('entry', 'internal/poll.(*FD).Read'),
           ('return', 'internal/poll.(*FD).Read'), ('entry', 'sync.(*Pool).Put'), ('return', 'sync.(*Pool).Get'),
           ('entry', 'runtime.gopanic'), ('return', 'runtime.deferreturn')]
REMOVE = 'container/list.(*List).Remove'
INLINED = [('inlined', REMOVE), ('entry', REMOVE), ('inlined', 'container/list.(*Element).Next')]

SHAPES = {'plain': (), 'stripped': STRIPPED, 'pie': ('-buildmode=pie',), 'unoptimized': ('-gcflags=all=-N -l',)}
# Why an entry may be refused.
ENTRY_REASONS = {'no_room', 'may_fault', 'call_inside', 'branch_target', 'unknown_jumps', 'unexpected_prologue', 'special_frame',
                 'no_stack', 'not_decoded', 'only_inlined', 'not_in_program'}


def tool():
    path = ROOT / 'build' / 'release' / 'tests' / 'points' / 'count_points'
    if not path.exists():
        raise Failure(f'{path} is not built')
    return path


def line_of(kind, name):
    return f'{kind}\t{name}'


def ask(ctx, binary, requests, *flags, arguments=()):
    """How it ended, and what became of each request."""
    asked, result = ctx.folder / 'requests', ctx.folder / 'result'
    asked.write_text(''.join(line_of(kind, name) + '\n' for kind, name in requests))
    result.unlink(missing_ok=True)
    ended = run([tool(), asked, result, *flags, binary, *arguments], cwd=ctx.folder)
    if not result.exists():
        raise Failure(f'exit code {ended.code}, no result: {ended.err[:300]!r}')
    answers = [json.loads(line) for line in result.read_text().splitlines()]
    return ended, {request: answer for request, answer in zip(requests, answers)}


def check_counts(answers, optimized, enters):
    for kind, name, times in EXACT:
        answer = answers[kind, name]
        # A RET of a function may lack room; then the points say less than the calls, never more.
        complete = not answer['refused']
        if answer['passes'] > times or (complete and answer['passes'] != times) or not answer['points']:
            raise Failure(f'{kind} {name} is passed {times} times: {answer}')
    put = answers['entry', 'sync.(*Pool).Put']['passes']
    if put < POOL_PUTS:
        raise Failure(f'sync.(*Pool).Put was entered {put} times')
    for request in LIBRARY:
        if enters and request == ('entry', 'runtime.memmove'):
            # Chains of functions without a stack check end there: the runtime's frame is not sure to fit.
            if answers[request]['refused'] != {'no_stack': 1}:
                raise Failure(f'memmove has no stack to enter the runtime: {answers[request]}')
        elif not answers[request]['points'] or not answers[request]['passes']:
            raise Failure(f'{request} was never passed: {answers[request]}')
    # One of the two has all the calls, and the other says why it has none.
    kinds = ('inlined', 'entry') if optimized else ('entry', 'inlined')
    here, there = answers[kinds[0], REMOVE], answers[kinds[1], REMOVE]
    if here['passes'] != LISTS_REMOVED or there['refused'] != {'only_inlined' if optimized else 'not_in_program': 1}:
        raise Failure(f'Remove is called {LISTS_REMOVED} times: {kinds[0]} {here}, {kinds[1]} {there}')


def check_run(ctx, release, shape, *flags):
    binary = ctx.builds.get(Build('tests/go', 'points', release, SHAPES[shape]))
    plain = run([binary], cwd=ctx.folder)
    if plain.code != 3:
        raise Failure(f'the program alone ends with {plain.code}: {plain.err[:300]!r}')
    requests = [(kind, name) for kind, name, _ in EXACT] + LIBRARY + INLINED
    ended, answers = ask(ctx, binary, requests, *flags)
    same_bytes('stdout', plain.out, ended.out)
    same_bytes('stderr', plain.err, ended.err)
    if ended.code != plain.code:
        raise Failure(f'exit code {ended.code} in place of {plain.code}')
    check_counts(answers, shape != 'unoptimized', '--enter' in flags)
    points = sum(a['points'] for a in answers.values())
    refused = {}
    for answer in answers.values():
        for why, count in answer['refused'].items():
            refused[why] = refused.get(why, 0) + count
    return f'{points} points, refused: {refused or "none"}'


def check_everything(ctx, release, shape):
    """All functions of the program's own and of the library's, entered and left through trampolines."""
    binary = ctx.builds.get(Build('tests/go', 'points', release, SHAPES[shape]))
    plain = run([binary], cwd=ctx.folder)
    requests = [(kind, package + '.*') for kind in ('entry', 'return')
                for package in ('main', 'fmt', 'bufio', 'bytes', 'os', 'sync', 'strconv', 'container/list', 'internal/poll', 'time')]
    ended, answers = ask(ctx, binary, requests)
    same_bytes('stdout', plain.out, ended.out)
    same_bytes('stderr', plain.err, ended.err)
    if ended.code != plain.code:
        raise Failure(f'exit code {ended.code} in place of {plain.code}')
    entries = [answer for (kind, _), answer in answers.items() if kind == 'entry']
    points, refused = sum(a['points'] for a in entries), sum(sum(a['refused'].values()) for a in entries)
    odd = {why for a in entries for why in a['refused']} - ENTRY_REASONS
    if odd or refused > points / 3:
        raise Failure(f'{points} entries, refused {refused}; odd reasons: {odd}')
    return f'{points} entries, {refused} refused; {sum(a["passes"] for a in answers.values())} passes'


def check_roomy(ctx, release):
    """growslice is told of another capacity at its entry, and makes more of it."""
    binary = ctx.builds.get(Build('tests/go', 'points', release))
    plain = run([binary, 'caps'], cwd=ctx.folder)
    ended, _ = ask(ctx, binary, [('entry', 'main.two')], '--roomy', arguments=['caps'])
    line = next(line for line in ended.out.decode().splitlines() if line.startswith('capacities'))
    capacities = [int(word) for word in line.split('[')[1].rstrip(']').split()]
    # 4 * newLen + 8, of 1 and of 13 elements.
    if ended.code != plain.code or capacities != [12, 60] or line in plain.out.decode():
        raise Failure(f'{line}, plain: {plain.out.decode().splitlines()[-1]}, exit code {ended.code}')


@registry.family
def of_points(options, default):
    releases = options.releases or (RELEASES if options.all else [OLDEST, default, RELEASES[-1]])
    for release in dict.fromkeys(releases):
        for shape in SHAPES if options.all or release == default else ['plain']:
            for tag, flags in (('counted', ()), ('entered', ('--enter',))):
                yield registry.Case(f'points/{tag}/{release}/{shape}',
                                    lambda ctx, r=release, s=shape, f=flags: check_run(ctx, r, s, *f))
            yield registry.Case(f'points/everything/{release}/{shape}', lambda ctx, r=release, s=shape: check_everything(ctx, r, s))
        yield registry.Case(f'points/roomy/{release}', lambda ctx, r=release: check_roomy(ctx, r))
