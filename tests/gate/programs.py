"""The programs of programs.tsv at work, alone and under geist: same output, same exit status, what is found, and what it costs. Each is
built as a plain `go build` does it, and once more stripped."""
import csv
import hashlib
import json
import os
import re
import shlex
import shutil
import subprocess
import tempfile
from dataclasses import asdict
from pathlib import Path

from go_tests import Pass, count_findings
from suites import HERE, LDFLAGS, Trouble, last_line
from timing import alternate
from workloads import IN_FOLDER, SILENT, WORKLOADS

TIMEOUT = 600


def read_table(path, only):
    with open(path, newline='') as f:
        rows = list(csv.DictReader(f, delimiter='\t', quoting=csv.QUOTE_NONE))
    unknown = [r['name'] for r in rows if r['name'] not in WORKLOADS]
    if unknown:
        raise Trouble(f'no workload for {", ".join(unknown)}')
    return [r for r in rows if re.search(only, r['name'])]


def install(row, folder, build):
    """The binary, installed once for each path@version in each build."""
    target = row['install']
    place = folder / (hashlib.sha256(target.encode()).hexdigest()[:12] + '.' + build)
    binary = place / row['name']
    if binary.exists():
        return binary
    place.mkdir(parents=True, exist_ok=True)
    env = dict(os.environ, CGO_ENABLED='0', GOBIN=str(place), GOWORK='off', GOFLAGS='-buildvcs=false')
    flags = [f'-ldflags={LDFLAGS[build]}'] if build != 'dwarf' else []
    argv = ['build', *flags, '-o', str(binary), target[4:]] if target.startswith('std:') else ['install', *flags, target]
    p = subprocess.run(['go', *argv], env=env, cwd=place, capture_output=True, text=True, check=False)
    if p.returncode:
        raise Trouble('go install: ' + last_line(p.stderr))
    return binary


def build_all(row, cache, builds):
    """Installs it; a sentence when that failed."""
    try:
        for build in builds:
            install(row, cache / 'bin', build)
        return ''
    except Trouble as why:
        return str(why)


class Program:
    def __init__(self, row, cache, build):
        self.name = row['name']
        self.binary = install(row, cache / 'bin', build)
        self.folder = Path(tempfile.mkdtemp(prefix=f'geist-gate-{self.name}.'))
        self.runs = WORKLOADS[self.name](self.folder)
        self.cwd = self.folder / IN_FOLDER.get(self.name, '')

    def run(self, geist):
        """All runs of the workload once: what they wrote, how they ended, and the sums of what they cost."""
        notes = Path(tempfile.mkdtemp(prefix='notes.', dir=self.folder))
        home = Path(tempfile.mkdtemp(prefix='home.', dir=self.folder))
        env = dict(os.environ, HOME=str(home), XDG_CACHE_HOME=str(home), XDG_CONFIG_HOME=str(home), STATICCHECK_CACHE=str(home),
                   GOFLAGS='-mod=mod', GOWORK='off', GOTOOLCHAIN='local')
        for name in ('GOCACHE', 'GOMODCACHE', 'GOPATH'):
            env[name] = subprocess.run(['go', 'env', name], capture_output=True, text=True, check=True).stdout.strip()
        env.pop('GEIST', None)
        (self.folder / 'db').unlink(missing_ok=True)
        under = shlex.join([str(geist), 'run', '--exitcode=0', '--no-store']) if geist else '-'
        digest, codes = hashlib.sha256(), []
        for argv in self.runs:
            p = subprocess.run([HERE / 'under', notes, under, self.binary, *argv], env=env, cwd=self.cwd, timeout=TIMEOUT,
                               stdin=subprocess.DEVNULL, capture_output=True, check=False)
            codes.append(p.returncode)
            if self.name not in SILENT:
                digest.update(p.stdout + b'\0' + p.stderr + b'\0')
        shutil.rmtree(home, ignore_errors=True)
        return (digest.hexdigest(), tuple(codes)), [json.loads(f.read_text()) for f in sorted(notes.glob('*.json'))]

    def close(self):
        shutil.rmtree(self.folder, ignore_errors=True)


def run_pass(program, is_timed, options, row):
    """Alone and under geist by turns where it is timed, else alone only as often as it takes to know that its output is always the same."""
    result = Pass()
    program.run(None)  # files come into the page cache
    plain, watched, found = [], [], []

    def run(is_watched):
        outcome, notes = program.run(options.geist if is_watched else None)
        (watched if is_watched else plain).append((outcome, notes))
        if is_watched:
            found.append([f for n in notes for f in n.get('report', {}).get('findings', [])])
        return notes

    if is_timed:
        row.take_costs(*alternate(run, options.rounds))
    while len(plain) < 2:
        run(False)
    while len(watched) < options.runs:
        run(True)
    row.tests, result.runs = len(program.runs), len(watched)
    result.findings = count_findings(found)
    refused = [n['refused'] for _, notes in watched for n in notes if 'refused' in n]
    if refused:
        result.verdict, result.detail = 'DIFFERENT', refused[0]
    elif len({r[0] for r in plain}) > 1:
        result.verdict, result.detail = 'flaky', 'two plain runs differ'
    elif any(r[0] != plain[0][0] for r in watched):
        result.verdict, result.detail = 'DIFFERENT', f'exit codes {watched[0][0][1]}, plain {plain[0][0][1]}; or the output'
    return result


def check(program_row, cache, options, row):
    """All builds that are asked for; row has what is known of the others."""
    for build in options.builds:
        program = None
        try:
            program = Program(program_row, cache, build)
            result = run_pass(program, build == 'dwarf' and not options.no_costs, options, row)
        except Trouble as why:
            result = Pass(verdict='skipped', detail=str(why))
        except subprocess.TimeoutExpired as why:
            result = Pass(verdict='DIFFERENT', detail=f'out of time: {why}')
        finally:
            if program:
                program.close()
        row.passes[build] = asdict(result)
    return row
