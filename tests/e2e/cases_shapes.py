"""One bug in every shape of a Go binary and in every situation a program puts itself into: found at its line, the output as
without geist; or refused by name. The shapes of all releases are the table in docs/go-versions.md (tests/matrix)."""
import os
import re
import shutil

import registry
from go_builds import RELEASES, ROOT, STRIPPED, Build, Skip, go_env
from truth import judge, read_truth
from watched import FINDINGS_EXIT, Failure, brief, findings, run, same_run

CGO = (('CGO_ENABLED', '1'),)
STATIC_CGO = ('-ldflags=-linkmode=external -extldflags=-static', '-tags=netgo,osusergo')
SHAPES = {  # name -> program, flags, environment, whether names of variables are gone
    'static': ('shapes', (), (), False),
    'pie': ('shapes', ('-buildmode=pie',), (), False),
    'cgo, dynamic libc': ('cthreads', (), CGO, False),
    'cgo, PIE': ('cthreads', ('-buildmode=pie',), CGO, False),
    'cgo, static libc': ('cthreads', STATIC_CGO, CGO, False),
    'stripped (-s -w)': ('shapes', STRIPPED, (), True),
    'no DWARF (-w)': ('shapes', ('-ldflags=-w',), (), True),
    '-trimpath': ('shapes', ('-trimpath',), (), False),
    'external linking': ('shapes', ('-ldflags=-linkmode=external',), CGO, False),
    'no optimization (-N -l)': ('shapes', ('-gcflags=all=-N -l',), (), False),
    'no inlining (-l)': ('shapes', ('-gcflags=all=-l',), (), False),
    'GOAMD64=v1': ('shapes', (), (('GOAMD64', 'v1'),), False),
    'GOAMD64=v2': ('shapes', (), (('GOAMD64', 'v2'),), False),
    'GOAMD64=v3': ('shapes', (), (('GOAMD64', 'v3'),), False),
    'GOAMD64=v4': ('shapes', (), (('GOAMD64', 'v4'),), False),
    'names removed': ('shapes', STRIPPED, (), True),
    'over 100 MB': ('shapes', (), (), False),
    '-race': ('shapes', ('-race',), CGO, False),
    '-asan': ('shapes', ('-asan',), CGO, False),
}
REFUSED = ('-race', '-asan')
CPU_FLAGS = {'GOAMD64=v3': 'avx2', 'GOAMD64=v4': 'avx512f'}


def cpu_lacks(flag):
    return flag and not re.search(rf'^flags.*\b{flag}\b', open('/proc/cpuinfo').read(), re.M)


def without_names(binary, place):
    """As an obfuscator leaves it: the names of functions of the program's own packages are noise."""
    data = binary.read_bytes()
    noise = iter(range(10 ** 6))
    data = re.sub(rb'\0main\.(?!main\b)([\w.()*]+)(?=\0)', lambda m: b'\0' + (b'main.%x' % next(noise)).ljust(len(m.group(0)) - 1, b'x'), data)
    place.write_bytes(data)
    place.chmod(0o755)
    return place


def large(ctx, release):
    """The program with 120 MB of data in it."""
    module = ctx.folder / 'large'
    shutil.copytree(ROOT / 'tests' / 'go' / 'shapes', module / 'shapes')
    (module / 'go.mod').write_text('module geist.example/large\n\ngo 1.21\n')
    (module / 'shapes' / 'data.bin').write_bytes(os.urandom(1 << 20) * 120)
    (module / 'shapes' / 'data.go').write_text('package main\n\nimport _ "embed"\n\n//go:embed data.bin\nvar data string\n\n'
                                               'func init() {\n\tif len(data) == 1 {\n\t\tprintln(data)\n\t}\n}\n')
    ctx.builds.require(release)
    built = run(['go', 'build', '-buildvcs=false', '-o', ctx.folder / 'large-shapes', './shapes'], cwd=module, env=go_env(release), timeout=600)
    if built.code != 0:
        raise Failure('go build: ' + brief(built.err.decode()))
    return ctx.folder / 'large-shapes'


def build(ctx, shape, release):
    program, flags, env, _ = SHAPES[shape]
    if shape == 'over 100 MB':
        return large(ctx, release)
    binary = ctx.builds.get(Build('tests/go', program, release, flags, env))
    return without_names(binary, ctx.folder / 'nameless') if shape == 'names removed' else binary


def found_as_marked(ctx, argv, program, nameless, flags=(), again=True, **more):
    """Runs it plain and watched. The bug is found where the source says, the rest is the same."""
    truth = read_truth(ROOT / 'tests' / 'go' / program)
    plain = run(argv, cwd=ctx.folder, **more)
    if b'WRONG' not in plain.out:
        raise Failure(f'plain, the program says {plain.out!r:.200} and {plain.err!r:.200}')
    for _ in ctx.attempts():
        watched = ctx.watch.run(argv, flags=flags, cwd=ctx.folder, **more)
        found = findings(watched)
        if found:
            break
    judge(truth, found, nameless)
    same_run(plain, watched, code=FINDINGS_EXIT)
    return watched


def shape_is(ctx, shape, release):
    program, _, _, nameless = SHAPES[shape]
    if shape in REFUSED:
        refused = run([ctx.watch.geist, 'run', '--', build(ctx, shape, release)])
        if refused.code != 3 or shape not in refused.err.decode() or refused.out:
            raise Failure(f'exit code {refused.code}, expected 3 and a word about {shape}: {brief(refused.err.decode())}')
        return 'refused'
    binary = build(ctx, shape, release)
    if cpu_lacks(CPU_FLAGS.get(shape)):
        listed = run([ctx.watch.geist, 'sites', binary])
        if listed.code != 0:
            raise Failure(f'geist sites: exit code {listed.code}: {brief(listed.err.decode())}')
        return 'sites only'
    found_as_marked(ctx, [binary], program, nameless)
    return 'found'


# ---- situations

def as_root():
    if os.geteuid() != 0:
        raise Skip('needs root')


def situation(mode, *arguments, follow=False):
    def check(ctx):
        if mode in ('drop', 'chroot'):
            as_root()
        binary = ctx.builds.get(Build('tests/go', 'shapes', ctx.release))
        argv = [binary, mode, *[a(ctx) for a in arguments]]
        found_as_marked(ctx, argv, 'shapes', False, ('--follow',) if follow else ())
    return check


def empty_root(ctx):
    (ctx.folder / 'root').mkdir(exist_ok=True)
    return str(ctx.folder / 'root')


def wrapped(*words):
    """Behind a wrapper that is no Go program: with --follow."""
    def check(ctx):
        binary = ctx.builds.get(Build('tests/go', 'shapes', ctx.release))
        found_as_marked(ctx, [w.replace('PROGRAM', str(binary)) for w in words], 'shapes', False, ('--follow',))
    return check


def unfollowed(*words):
    """A wrapper without --follow: refused, and told what to do."""
    def check(ctx):
        binary = ctx.builds.get(Build('tests/go', 'shapes', ctx.release))
        ended = run([ctx.watch.geist, 'run', '--', *[w.replace('PROGRAM', str(binary)) for w in words]])
        if ended.code != 3 or ended.out or b'--follow' not in ended.err:
            raise Failure(f'exit code {ended.code}, expected 3 and a word about --follow: {brief(ended.err.decode())}')
    return check


def script(ctx):
    binary = ctx.builds.get(Build('tests/go', 'shapes', ctx.release))
    path = ctx.folder / 'start.sh'
    path.write_text(f'#!/bin/sh\necho starting "$@"\n{binary} && exit 5\n')
    path.chmod(0o755)
    plain = run([path, 'a', 'b'], cwd=ctx.folder)
    watched = ctx.watch.run([path, 'a', 'b'], flags=['--follow'], cwd=ctx.folder)
    judge(read_truth(ROOT / 'tests' / 'go' / 'shapes'), findings(watched), False)
    same_run(plain, watched, code=FINDINGS_EXIT)
    own = ctx.watch.run([path, 'a', 'b'], flags=['--follow', '--exitcode=0'], cwd=ctx.folder)
    if own.code != 5:
        raise Failure(f'exit code {own.code}, the script ends with 5')


def several(ctx):
    """Two programs, one of them twice: one report, one finding counted twice."""
    binary = ctx.builds.get(Build('tests/go', 'shapes', ctx.release))
    other = ctx.builds.get(Build('tests/go', 'surroundings', ctx.release))
    argv = ['/bin/sh', '-c', f'{binary}; {other} x >/dev/null; {binary}; kill -USR1 $$']
    plain = run(argv)
    watched = ctx.watch.run(argv, flags=['--follow', '--exitcode=0'])
    same_run(plain, watched)
    programs = {p['binary']: p['processes'] for p in watched.report['programs']}
    if programs != {'shapes': 2, 'surroundings': 1}:
        raise Failure(f'programs: {programs}')
    if [f['count'] for f in findings(watched)] != [2]:
        raise Failure(f'counts: {[f["count"] for f in findings(watched)]}, expected one finding seen twice')


def no_go_program(ctx):
    argv = ['/bin/sh', '-c', 'echo hello; exit 4']
    watched = ctx.watch.run(argv, flags=['--follow'])
    same_run(run(argv), watched)
    if 'no Go program' not in watched.log:
        raise Failure('the report does not say that nothing was watched: ' + brief(watched.log))


def other_programs(ctx):
    """What the test programs do under --follow is what they do alone: signals, threads, children, the end."""
    for program, *arguments in (['children'], ['children', 'exec'], ['threads'], ['profile'], ['goroutines'], ['exits', 'signal', '15']):
        argv = [ctx.builds.get(Build('tests/go', program, ctx.release)), *arguments]
        same_run(run(argv), ctx.watch.run(argv, flags=['--follow']))


case = registry.group('shapes')
for _mode in ('shell', 'drop', 'undumpable', 'seccomp'):
    case.add(_mode, situation(_mode))
case.add('chroot', situation('chroot', empty_root))
case = registry.group('follow')
for _mode in ('shell', 'exec', 'child', 'shell-child', 'daemon'):
    case.add(_mode, situation(_mode, follow=True))
case.add('sh-c', wrapped('/bin/sh', '-c', 'PROGRAM; echo after'))
case.add('sh-c-exec', wrapped('sh', '-c', 'exec PROGRAM'))
case.add('env', wrapped('env', 'A=b', 'PROGRAM'))
case.add('pipeline', wrapped('sh', '-c', 'PROGRAM | cat'))
case.add('nothing-between', wrapped('PROGRAM'))
case.add('script', script)
case.add('several', several)
case.add('no-go-program', no_go_program)
case.add('other-programs', other_programs)
case = registry.group('unfollowed')
case.add('sh-c', unfollowed('/bin/sh', '-c', 'PROGRAM'))
case.add('env', unfollowed('env', 'PROGRAM'))


@registry.family
def of_shapes(options, default):
    releases = options.releases or (RELEASES if options.all else [default])
    for release in releases:
        for shape in SHAPES:
            name = re.sub(r'[^\w.=-]+', '-', shape).strip('-')
            yield registry.Case(f'shapes/go{release}/{name}', lambda ctx, s=shape, r=release: shape_is(ctx, s, r))
