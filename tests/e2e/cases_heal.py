"""Healing: a bug of lab/ with the appends of its report healed says OK instead of WRONG; an idiom with every append healed
writes what it writes by itself. Comments anywhere in a program say what is different there:

    // heal-changes: reason      an idiom relies on sharing, or on the capacity its array has
    // heal-refused: reason      the append of a bug cannot be healed, or is not seen to overwrite anything
"""
import re

from cases_lab import OLDEST, in_subset, programs
from go_builds import RELEASES, ROOT, STRIPPED, Build
from truth import read_truth
from watched import Failure, brief, findings, run, same_bytes

ATTEMPTS = 3


def has_mark(folder, mark):
    return any(re.search(rf'//\s*{mark}: \S', line) for file in folder.glob('*.go') for line in file.read_text().splitlines())


def healed(ctx, binary, *flags, **more):
    return run([ctx.watch.geist, 'heal', *flags, '--', binary], cwd=ctx.folder, **more)


def check_bug(ctx, binary, truth, stripped):
    """Heals what is found. What may be missed on a busy machine is another test's business."""
    for _ in range(ATTEMPTS):
        watched = ctx.watch.run([binary], cwd=ctx.folder)
        if findings(watched):
            break
    if not findings(watched):
        if truth.expected_miss(stripped):
            return 'nothing found to heal: ' + truth.expected_miss(stripped)
        raise Failure('nothing found')
    ended = healed(ctx, binary, f'--report={ctx.folder}/run.json')
    if ended.last_line() != 'OK' or ended.code != 0:
        raise Failure(f'healed, it says {ended.last_line()!r} and exits with {ended.code}; {brief(ended.err.decode())}')
    if not re.search(rb'geist: healed .*\d+ (once|\d+ times)\n', ended.err):
        raise Failure(f'it does not say how often it healed: {ended.err!r}')
    return ''


def check(ctx, build, stripped):
    folder = ROOT / 'lab' / build.package
    binary = ctx.builds.get(build)
    truth = read_truth(folder)
    refused = has_mark(folder, 'heal-refused')
    note = check_bug(ctx, binary, truth, stripped) if truth.is_bug() and not refused else ''
    plain, ended = run([binary], cwd=ctx.folder), healed(ctx, binary, '--site=all', '--quiet')
    if ended.err != plain.err or ended.code != plain.code:
        raise Failure(f'all healed: exit code {ended.code}, stderr {ended.err[:300]!r}')
    if refused:
        same_bytes('stdout', plain.out, ended.out)
    elif truth.is_bug():  # also what no report shows is healed with all others
        if ended.last_line() != 'OK':
            raise Failure(f'all healed, it says {ended.last_line()!r}')
    elif has_mark(folder, 'heal-changes'):
        if ended.out == plain.out:
            raise Failure('its comment says that healing changes it, and it does not')
    else:
        same_bytes('stdout', plain.out, ended.out)
    return note


def cases(options, default):
    releases = options.releases or (RELEASES if options.all else [default])
    for name in programs():
        for release in releases:
            yield f'heal/{name}/go{release}', Build('lab', name, release), False
        if not options.all and not options.releases and in_subset(name):
            if default != OLDEST:
                yield f'heal/{name}/go{OLDEST}', Build('lab', name, OLDEST), False
            yield f'heal/{name}/go{default}/stripped', Build('lab', name, default, STRIPPED), True
