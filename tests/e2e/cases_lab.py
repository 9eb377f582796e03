"""Every program of lab/: the same output plain and under geist, and findings that agree with the truth in its comments."""
import zlib

import registry
from go_builds import RELEASES, ROOT, STRIPPED, STRIPPED_RELEASES, Build
from truth import UNNAMED, judge, read_truth
from watched import FINDINGS_EXIT, Failure, describe, findings, run, same_run

OLDEST = RELEASES[0]


# other kinds of builds, for a few programs of different shape: flags, environment, whether the names of variables are gone
KINDS = {
    'pie': (('-buildmode=pie',), (), False),
    'trimpath': (('-trimpath',), (), False),
    'debug': (('-gcflags=all=-N -l',), (), False),
    'v3': ((), (('GOAMD64', 'v3'),), False),
    'external': (('-ldflags=-linkmode=external',), (('CGO_ENABLED', '1'),), False),
    'no-dwarf': (('-ldflags=-w',), (), True),
}
# without optimization, where the compiler keeps each variable in a word of its frame: what decides whose slice is written to
UNOPTIMIZED = ['bug_append_slice', 'bug_delete_shift', 'bug_board_history', 'ok_cursor_dedup_count', 'ok_cursor_helper',
               'ok_cursor_merge_sort', 'ok_cursor_results']
OF_ALL_KINDS = ['orders', 'bug_closure', 'bug_two_inlined', 'bug_caller_tail', 'bug_struct24', 'ok_refill_field', 'ok_self_assign']


def programs():
    return sorted(p.parent.name for p in (ROOT / 'lab').glob('*/main.go') if p.parent.name != 'demo')


def in_subset(name):
    """A quarter of the programs, always the same ones, and the article's case."""
    return name == 'orders' or zlib.crc32(name.encode()) % 4 == 0


# On a busy machine the time a program may be kept waiting runs out, and geist says in its report what it did not look at.
# Only then, and only when nothing at all was found, a bug gets another run; what was found is judged as it is.
def says_it_did_not_look(watched):
    lost = (watched.report or {}).get('lost', {})
    return any(lost.get(name) for name in ('not_judged', 'not_watched', 'samples_lost', 'threads_unwatched', 'ring_full'))


def check(ctx, build, stripped):
    truth = read_truth(ROOT / 'lab' / build.package)
    binary = ctx.builds.get(build)
    plain = run([binary], cwd=ctx.folder)
    if truth.is_bug() != plain.last_line().startswith('WRONG') or plain.code != 0:
        raise Failure(f'plain, the program says {plain.last_line()!r} and exits with {plain.code}: the lab is wrong')
    for _ in ctx.attempts():
        watched = ctx.watch.run([binary], flags=truth.flags, cwd=ctx.folder)
        found = findings(watched)
        if found or not truth.wanted or not says_it_did_not_look(watched):
            break
    note = judge(truth, found, stripped)
    if note == UNNAMED and ctx.options.names:
        raise Failure(note + ': ' + '; '.join(map(describe, found)))
    same_run(plain, watched, code=FINDINGS_EXIT if found else plain.code)
    for f in found:
        place = f'{f["site"]["file"].rsplit("/", 1)[-1]}:{f["site"]["line"]}'
        if place not in watched.log:
            raise Failure(f'{place} is in the JSON report but not in the text')
    if truth.is_bug() and not found:
        note = 'expected miss: ' + truth.expected_miss(stripped)
    return note


def builds(options, default):
    """Name, build, whether names are gone."""
    if options.releases:
        normal = stripped = options.releases
    elif options.all:
        normal, stripped = RELEASES, STRIPPED_RELEASES
    else:
        normal, stripped = [default], []
    # every kind compiles the standard library anew, so not with every release
    for release in sorted({normal[0], normal[-1], default} & set(normal)):
        for name in OF_ALL_KINDS:
            for kind, (flags, env, nameless) in KINDS.items():
                yield f'lab/{name}/go{release}/{kind}', Build('lab', name, release, flags, env), nameless
        for name in UNOPTIMIZED:
            flags, env, nameless = KINDS['debug']
            yield f'lab/{name}/go{release}/debug', Build('lab', name, release, flags, env), nameless
    for name in programs():
        for release in normal:
            yield f'lab/{name}/go{release}', Build('lab', name, release), False
        for release in stripped:
            yield f'lab/{name}/go{release}/stripped', Build('lab', name, release, STRIPPED), True
        if not options.all and not options.releases and in_subset(name):
            if default != OLDEST:
                yield f'lab/{name}/go{OLDEST}', Build('lab', name, OLDEST), False
            yield f'lab/{name}/go{default}/stripped', Build('lab', name, default, STRIPPED), True


@registry.family
def of_lab(options, default):
    for name, build, stripped in builds(options, default):
        yield registry.Case(name, lambda ctx, b=build, s=stripped: check(ctx, b, s), build)
