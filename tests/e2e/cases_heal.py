"""Healing: a bug of lab/ with the appends of its report healed says OK instead of WRONG; an idiom with every append healed
writes what it writes by itself. Comments anywhere in a program say what is different there:

    // heal-changes: reason      an idiom relies on sharing, or on the capacity its array has
    // heal-refused: reason      the append of a bug cannot be healed, or is not seen to overwrite anything

And a program that runs already is healed for a while, and goes on as it was.
"""
import re
import signal
import subprocess
import time
import zlib

import registry
from attached import Program, code_of, wait_until
from cases_lab import OLDEST, in_subset, programs
from go_builds import RELEASES, ROOT, STRIPPED, Build
from truth import read_truth
from watched import Failure, brief, findings, run, same_bytes

CGO = (('CGO_ENABLED', '1'),)
SHAPES = {'pie': (('-buildmode=pie',), ()), 'cgo': (('-ldflags=-linkmode=external',), CGO), 'cgo-pie': (('-buildmode=pie',), CGO)}


def has_mark(folder, mark):
    return any(re.search(rf'//\s*{mark}: \S', line) for file in folder.glob('*.go') for line in file.read_text().splitlines())


def healed(ctx, binary, *flags, **more):
    return run([ctx.watch.geist, 'heal', *flags, '--', binary], cwd=ctx.folder, **more)


def check_bug(ctx, binary, truth, stripped):
    """Heals what is found. What may be missed on a busy machine is another test's business."""
    for _ in ctx.attempts():
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


def count(program):
    """What the program has counted since the last time, and a while later what it has from now on."""
    for _ in range(2):
        time.sleep(0.15)
        program.process.stdin.write(b'\n')
        program.process.stdin.flush()
        wrong, made = map(int, program.process.stdout.readline().split())
    if made < 10:
        raise Failure(f'the program stands still: {made} in 0.15 s')
    return wrong, made


def heals_a_process(ended_by, **more):
    """Wrong before and after, right in between, and the code is what it was."""
    def check(ctx):
        with Program([ctx.builds.get(Build('tests/go', 'repeats', ctx.release, **more))]) as program:
            code = code_of(program.pid)
            if count(program)[0] < 10:
                raise Failure('the bug does not show')
            flags = ['--for=1500ms'] if ended_by is None else []
            log = ctx.folder / 'heal.err'
            with open(log, 'wb') as err, subprocess.Popen([ctx.watch.geist, 'heal', f'--pid={program.pid}', *flags,
                                                           '--site=main.newRoute:main.go:18'], stderr=err) as geist:
                wait_until(lambda: b'healing process' in log.read_bytes() or geist.poll() is not None, 'healing')
                wrong, _ = count(program)
                if ended_by is not None:
                    geist.send_signal(ended_by)
                code_now = geist.wait(timeout=60)
            if wrong != 0 or code_now != 0:
                raise Failure(f'{wrong} wrong while it is healed, geist ended with {code_now}: {brief(log.read_text())}')
            if not re.search(rb'geist: healed main.newRoute:main.go:18 \d+ times\n', log.read_bytes()):
                raise Failure(f'it does not say how often: {brief(log.read_text())}')
            if code_of(program.pid) != code or count(program)[0] < 10:
                raise Failure('not what it was behind the healing')
            program.must_end_well()
    return check


def next_geist_takes_over(ctx):
    """A geist that heals is killed: the program stays healed, and the next one finds the redirected calls, too."""
    with Program([ctx.builds.get(Build('tests/go', 'repeats', ctx.release))]) as program:
        code = code_of(program.pid)
        log = ctx.folder / 'heal.err'
        with open(log, 'wb') as err, subprocess.Popen([ctx.watch.geist, 'heal', f'--pid={program.pid}',
                                                       '--site=main.newRoute:main.go:18'], stderr=err) as geist:
            wait_until(lambda: b'healing process' in log.read_bytes() or geist.poll() is not None, 'healing')
            geist.kill()
        if code_of(program.pid) == code or count(program)[0] != 0:
            raise Failure('it does not stay healed')
        ended = run([ctx.watch.geist, 'attach', program.pid, '--for=200ms', '--quiet'])
        if ended.code not in (0, 1) or code_of(program.pid) != code or count(program)[0] < 10:
            raise Failure(f'not what it was after geist attach, which ended with {ended.code}: {ended.err[:300]!r}')
        program.must_end_well()


case = registry.group('heal')
case.add('process', heals_a_process(signal.SIGINT))
case.add('process-for', heals_a_process(None))
case.add('process-pie', heals_a_process(signal.SIGTERM, flags=('-buildmode=pie',)))
case.add('process-cgo', heals_a_process(signal.SIGINT, flags=('-ldflags=-linkmode=external',), env=CGO))
case.add('process-killed', next_geist_takes_over)


def in_shapes(name, options):
    """Other shapes of a binary differ in how they are loaded and linked, not in their code: some programs will do."""
    return in_subset(name) if options.all else zlib.crc32(name.encode()) % 24 == 0


def builds(options, default):
    """Name, build, whether names are gone."""
    for name in filter(lambda n: in_shapes(n, options), programs()):
        for shape, (flags, env) in SHAPES.items():
            yield f'heal/{name}/go{default}/{shape}', Build('lab', name, default, flags, env), False
    releases = options.releases or (RELEASES if options.all else [default])
    for name in programs():
        for release in releases:
            yield f'heal/{name}/go{release}', Build('lab', name, release), False
        if not options.all and not options.releases and in_subset(name):
            if default != OLDEST:
                yield f'heal/{name}/go{OLDEST}', Build('lab', name, OLDEST), False
            yield f'heal/{name}/go{default}/stripped', Build('lab', name, default, STRIPPED), True


@registry.family
def of_lab(options, default):
    for name, build, stripped in builds(options, default):
        yield registry.Case(name, lambda ctx, b=build, s=stripped: check(ctx, b, s), build)
