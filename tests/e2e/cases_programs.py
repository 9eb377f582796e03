"""The programs of tests/go in every kind of build: what they print and how they end is the same under geist."""
import os

import registry
from go_builds import RELEASES, ROOT, STRIPPED, Build
from watched import Failure, describe, findings, run, same_run

PROGRAMS = {  # name -> environments to run it in
    'append_kinds': [{}, {'GOMAXPROCS': '1'}, {'GODEBUG': 'asyncpreemptoff=1'}],
    'deep_stack': [{}, {'GOGC': '1'}, {'GODEBUG': 'gcshrinkstackoff=1'}],
    'floats': [{}, {'GOGC': '1'}],
    'gc_stress': [{}, {'GOMAXPROCS': '1'}, {'GODEBUG': 'gccheckmark=1'}],
    'goroutines': [{}, {'GOMAXPROCS': '1'}, {'GOGC': '1'}, {'GOMAXPROCS': '16'}],
    'long_loop': [{}, {'GOMAXPROCS': '1'}],
    'profile': [{}, {'GOMAXPROCS': '8'}],
    'threads': [{}, {'GOMAXPROCS': '32'}],
    'closes_files': [{}],
    'drops': [{}],
}
HONEST = sorted(p.parent.name for p in (ROOT / 'tests' / 'go' / 'honest').glob('*/main.go'))  # tests/e2e/stress_ok runs them many times
SMALL = ['append_kinds', 'deep_stack', 'floats', 'gc_stress']

KINDS = {  # name -> flags, environment
    'normal': ((), ()),
    'stripped': (STRIPPED, ()),
    'no-dwarf': (('-ldflags=-w',), ()),
    'pie': (('-buildmode=pie',), ()),
    'debug': (('-gcflags=all=-N -l',), ()),
    'trimpath': (('-trimpath',), ()),
    'external': (('-ldflags=-linkmode=external',), (('CGO_ENABLED', '1'),)),
    'v3': ((), (('GOAMD64', 'v3'),)),
}


def check(ctx, build, env):
    binary = ctx.builds.get(build)
    env = dict(os.environ, **env)
    plain = run([binary], env=env, cwd=ctx.folder)
    if plain.code != 0 or 'WRONG' in plain.out.decode():
        raise Failure(f'plain, the program says {plain.last_line()!r} and exits with {plain.code}')
    watched = ctx.watch.run([binary], env=env, cwd=ctx.folder)
    if watched.report and (found := findings(watched)):
        raise Failure('unexpected finding: ' + '; '.join(map(describe, found)))
    same_run(plain, watched)
    findings(watched)  # there must be a report


def builds(options, default):
    """Name, build, environment."""
    releases = options.releases or (RELEASES if options.all else [default])
    for release in releases:
        for program, envs in PROGRAMS.items():
            for env in envs:
                tag = ''.join(f'/{k}={v}' for k, v in env.items())
                yield f'programs/{program}/go{release}{tag}', Build('tests/go', program, release), env
        for program in HONEST:
            yield f'programs/{program}/go{release}', Build('tests/go', f'honest/{program}', release), {}
            if release == default:
                flags, extra = KINDS['debug']
                yield f'programs/{program}/go{release}/debug', Build('tests/go', f'honest/{program}', release, flags, extra), {}
        for kind, (flags, extra) in KINDS.items():
            if kind != 'normal' and release in (releases[0], releases[-1], default):  # each compiles the standard library anew
                for program in SMALL:
                    yield f'programs/{program}/go{release}/{kind}', Build('tests/go', program, release, flags, extra), {}
        for kind, flags in (('normal', ()), ('pie', ('-buildmode=pie',)), ('stripped', STRIPPED)):
            yield f'programs/cgo/go{release}/{kind}', Build('tests/go', 'cgo', release, flags, (('CGO_ENABLED', '1'),)), {}


@registry.family
def of_programs(options, default):
    for name, build, env in builds(options, default):
        yield registry.Case(name, lambda ctx, b=build, e=env: check(ctx, b, e), build)
