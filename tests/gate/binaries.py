"""One run of one kept test binary, alone or under geist, and what its tests said: read from its output by Go's own test2json, as
`go test -json` does it."""
import functools
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).resolve().parent
UNDER = HERE / 'under'


@dataclass
class Outcome:
    """One run of all binaries of one suite."""
    tests: dict = field(default_factory=dict)     # "package Test" -> pass, fail, skip
    runs: list = field(default_factory=list)      # what tests/gate/under wrote; None of a binary that did not end
    is_quiet: bool = False                        # without -v, which tells of the tests that fail only

    def sum(self, key):
        return sum(r[key] for r in self.runs if r)

    def findings(self):
        return [f for r in self.runs if r for f in r.get('report', {}).get('findings', [])]

    def refused(self):
        return [f'{Path(r["argv"][0]).name}: {r["refused"]}' for r in self.runs if r and 'refused' in r]


@functools.cache
def test2json():
    return subprocess.run(['go', 'tool', '-n', 'test2json'], capture_output=True, text=True, check=True).stdout.strip()


@functools.cache
def geist_words(geist):
    """What `geist test` has go put in front of a test binary, but for where the report goes: asked of geist itself, with a go command
    that prints what it is told."""
    with tempfile.TemporaryDirectory(prefix='geist-gate.') as folder:
        go = Path(folder) / 'go'
        go.write_text('#!/bin/sh\nfor word in "$@"; do echo "$word"; done\n')
        go.chmod(0o755)
        out = subprocess.run([geist, 'test', '--no-store', './...'], capture_output=True, text=True, check=True, cwd=folder,
                             env=dict(os.environ, PATH=f'{folder}:{os.environ["PATH"]}', GOFLAGS='')).stdout
    exec_flag = next(line for line in out.splitlines() if line.startswith('-exec='))
    words = shlex.split(exec_flag.removeprefix('-exec='))
    if '--test' not in words or words[-1] != '--':
        raise ValueError(f'{geist} test runs test binaries with {exec_flag!r}, which the gate does not understand')
    return shlex.join(w for w in words[:-1] if not w.startswith(('--report=', '--log=')))


def arguments(binary, is_quiet):
    """go test -json asks the binary for -v, which go test alone does not."""
    return [a for a in binary['argv'][1:] if not (is_quiet and a.startswith('-test.v='))]


def run_kept(binary, geist, timeout, is_quiet=False):
    """As `go test` would start it, or `geist test`. The note of tests/gate/under, None when it had to be ended, and its output."""
    folder = Path(tempfile.mkdtemp(prefix='geist-gate.'))
    try:
        (folder / 'tmp').mkdir()
        (folder / 'notes').mkdir()
        argv = [UNDER, folder / 'notes', geist_words(geist) if geist else '-', binary['kept'], *arguments(binary, is_quiet)]
        with open(folder / 'out', 'wb') as out:
            p = subprocess.Popen(argv, cwd=binary['cwd'], env=dict(binary['env'], TMPDIR=str(folder / 'tmp')), stdin=subprocess.DEVNULL,
                                 stdout=out, stderr=subprocess.STDOUT, start_new_session=True)
            try:
                p.wait(timeout=timeout)
            except subprocess.TimeoutExpired:
                os.killpg(p.pid, signal.SIGKILL)
                p.wait()
        notes = [json.loads(f.read_text()) for f in (folder / 'notes').glob('*.json')]
        return notes[0] if notes else None, (folder / 'out').read_bytes()
    finally:
        subprocess.run(['chmod', '-R', 'u+w', folder], check=False)
        shutil.rmtree(folder, ignore_errors=True)


def read_tests(output, package):
    """"package Test" -> pass, fail, skip."""
    p = subprocess.run([test2json(), '-p', package], input=output, capture_output=True, check=True)
    tests = {}
    for line in p.stdout.decode('utf-8', 'replace').splitlines():
        event = json.loads(line)
        if event.get('Action') in ('pass', 'fail', 'skip') and 'Test' in event:
            name = re.sub(r'0x[0-9a-f]{6,}', '0x?', event['Test'])  # some are named by an address
            tests[f'{package} {name}'] = event['Action']
    return tests


def run_all(binaries, geist, timeout, is_quiet=False):
    """All binaries of a suite once, one after the other."""
    outcome = Outcome(is_quiet=is_quiet)
    for binary in binaries:
        note, output = run_kept(binary, geist, timeout, is_quiet)
        outcome.runs.append(note)
        outcome.tests.update(read_tests(output, binary['package']))
        outcome.tests[f'{binary["package"]} (package)'] = 'pass' if note and note['code'] == 0 else 'fail'
    return outcome
