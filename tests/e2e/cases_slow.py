"""Large programs that everybody has: gofmt over the Go tree and tests of the standard library, plain and under geist."""
import json
import os
import subprocess
from pathlib import Path

import registry
from go_builds import Build, go_env
from watched import Failure, describe, findings, run, same_run

PACKAGES = ['encoding/json', 'go/ast', 'go/build', 'go/constant', 'go/format', 'go/parser', 'go/printer', 'go/scanner', 'go/token',
            'go/types', 'text/template', 'regexp', 'strings', 'bytes', 'sort', 'bufio', 'net/http']
HOUR = 3600


def gofmt(ctx):
    """gofmt -d -s over all of GOROOT/src."""
    binary = ctx.builds.get(Build('lab', 'cmd/gofmt', ctx.release))
    source = Path(ctx.builds.goroot(ctx.release)) / 'src'
    argv = [binary, '-d', '-s', source]
    plain, watched = run(argv, timeout=HOUR), ctx.watch.run(argv, timeout=HOUR)
    same_run(plain, watched)
    if found := findings(watched):
        raise Failure('unexpected: ' + '; '.join(map(describe, found)))
    return watched.report['cost']['wall_s'] and f'{watched.report["cost"]}'


def verdicts(ctx, package, exec_script=None):
    """What `go test` says of each test of a package, and the reports if there are any."""
    argv = ['go', 'test', '-count=1', '-json', *([f'-exec={exec_script}'] if exec_script else []), package]
    p = subprocess.run(argv, env=go_env(ctx.release, (('CGO_ENABLED', os.environ.get('CGO_ENABLED', '1')),)), capture_output=True,
                       text=True, timeout=HOUR, check=False)
    result = {}
    for line in p.stdout.splitlines():
        try:
            event = json.loads(line)
        except ValueError:
            continue
        if event.get('Action') in ('pass', 'fail', 'skip') and event.get('Test'):
            result[event['Test']] = event['Action']
    if not result:
        raise Failure(f'{" ".join(argv)}: no test ran: {(p.stdout + p.stderr)[-400:]}')
    return result


def tests_of(package):
    def check(ctx):
        script = ctx.folder / 'under-geist'
        script.write_text(f'#!/bin/sh\nexec {ctx.watch.geist} run --log={ctx.folder}/$$.log '
                          f'--report=json:{ctx.folder}/$$.json -- "$@"\n')
        script.chmod(0o755)
        ctx.builds.require(ctx.release)
        plain, watched = verdicts(ctx, package), verdicts(ctx, package, script)
        differ = {t: (plain.get(t), watched.get(t)) for t in plain.keys() | watched.keys() if plain.get(t) != watched.get(t)}
        if differ:
            raise Failure(f'{len(differ)} of {len(plain)} tests differ (plain, under geist): {dict(list(differ.items())[:5])}')
        reports = sorted(ctx.folder.glob('*.json'))
        if not reports:
            raise Failure('no report was written')
        for report in reports:
            ended = ctx.watch.read(run(['true']), report.stem)
            if found := findings(ended):
                raise Failure(f'{len(found)} findings: ' + '; '.join(map(describe, found[:4])))
        return f'{len(plain)} tests'
    return check


case = registry.group('slow', slow=True, alone=True)
case.add('gofmt-over-goroot', gofmt)
for _package in PACKAGES:
    case.add('go-test-' + _package.replace('/', '-'), tests_of(_package))
