"""Test suites of modules and of the standard library: `go test -json`, every test binary started through tests/gate/under,
once alone and once under geist; outcomes compared test by test.

A test whose outcome differs is run again both ways. Where the plain runs differ from each other the test is flaky and says
nothing. That is asked of some further plain runs, too, for a test that fails by a random seed one time in six may do so twice in
a row. Of what they all agree about, where geist's second run does as well it is unsteady, which is named in the table and no
failure; where it differs twice it is geist's doing.
"""
import csv
import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

from timing import measure_suite

HERE = Path(__file__).resolve().parent
LEAST_CPU_S = 0.5      # a ratio of less than this says more about the clock than about geist
FURTHER_SECONDS = 120  # for plain runs of a suite with a test that ended otherwise under geist; at least one is made
GO_VERSION = '1.26'  # of the scratch module; dependencies may ask for more


class Trouble(Exception):
    """The suite could not be fetched or started; the text says why."""


@dataclass
class Outcome:
    """One `go test` of one suite."""
    tests: dict                                   # "package Test" -> pass, fail, skip
    runs: list = field(default_factory=list)      # what tests/gate/under wrote

    def sum(self, key):
        return sum(r[key] for r in self.runs)


@dataclass
class Row:
    """What the tables say of one suite."""
    name: str
    tests: int = 0
    verdict: str = 'same'                         # same, flaky, unsteady, DIFFERENT, skipped
    detail: str = ''
    plain_cpu_s: float = 0
    geist_cpu_s: float = 0
    plain_wall_s: float = 0
    geist_wall_s: float = 0
    findings: list = field(default_factory=list)
    left_out: int = 0                             # of its binaries, from the costs: see timing.py

    def take_costs(self, plain, watched, left_out):
        """Of what timing.alternate gave."""
        self.left_out = len(left_out)
        self.plain_cpu_s, self.plain_wall_s = plain.sum('cpu_s'), plain.sum('wall_s')
        self.geist_cpu_s, self.geist_wall_s = watched.sum('cpu_s'), watched.sum('wall_s')


def read_table(path, only):
    with open(path, newline='') as f:
        rows = list(csv.DictReader(f, delimiter='\t', quoting=csv.QUOTE_NONE))
    return [r for r in rows if re.search(only, r["module"] if r["version"] else r["packages"])]


def go(args, folder, env, timeout):
    """Runs the go command; its whole process group is ended when the time is over."""
    p = subprocess.Popen(['go', *args], cwd=folder, env=env, text=True, errors='replace', stdout=subprocess.PIPE,
                         stderr=subprocess.PIPE, start_new_session=True)
    try:
        out, err = p.communicate(timeout=timeout)
        return p.returncode, out, err
    except subprocess.TimeoutExpired:
        os.killpg(p.pid, signal.SIGKILL)
        out, err = p.communicate()
        return 124, out, err + '\nout of time'


def last_line(text):
    lines = [line for line in text.strip().splitlines() if line and not line.startswith('go: downloading')]
    return re.sub(r'https?://\S+', '(address)', lines[-1]) if lines else 'no message'


class Suite:
    """One row of modules.tsv. The module "std" is the standard library itself, in short mode."""

    def __init__(self, row, cache):
        self.module, self.version, self.packages = row['module'], row['version'], row['packages'].split()
        self.is_std = self.module == 'std'
        self.name = f'std {row["packages"]}' if self.is_std else f'{self.module}@{self.version}'
        self.store = cache / self.name.replace('/', '!')

    def paths(self):
        if self.is_std:
            return self.packages
        return [self.module if p == '.' else f'{self.module}/{p.removeprefix("./")}' for p in self.packages]

    def prepare(self, folder, env):
        """A scratch module that requires this one; its go.mod and go.sum are kept, so that later runs ask no proxy."""
        work = folder / 'm'
        work.mkdir()
        if self.is_std:
            (work / 'go.mod').write_text(f'module geist.example/gate\n\ngo {GO_VERSION}\n')  # sets the defaults of GODEBUG
            return work
        kept = [self.store.with_name(self.store.name + s) for s in ('.go.mod', '.go.sum')]
        if all(k.exists() for k in kept):
            shutil.copy(kept[0], work / 'go.mod')
            shutil.copy(kept[1], work / 'go.sum')
            return work
        (work / 'go.mod').write_text(f'module geist.example/gate\n\ngo {GO_VERSION}\n')
        code, _, err = go(['get', f'{self.module}@{self.version}'], work, env, 300)
        if code:
            raise Trouble('go get: ' + last_line(err))
        go(['get', '-t', f'{self.module}/...'], work, env, 300)  # packages that are not tested may fail here
        if (work / 'go.sum').exists():
            shutil.copy(work / 'go.mod', kept[0])
            shutil.copy(work / 'go.sum', kept[1])
        return work

    def run(self, work, env, geist, timeout, only=''):
        """One go test, alone (geist is None) or watched."""
        notes = Path(tempfile.mkdtemp(prefix='notes.', dir=work.parent))
        words = [str(HERE / 'under'), str(notes), str(geist) if geist else 'keep']
        args = ['test', '-vet=off', '-count=1', '-json', '-p=1', f'-timeout={timeout}s', '-exec', ' '.join(words)]
        args += ['-short'] if self.is_std else []
        args += [f'-run={only}'] if only else []
        _, out, err = go([*args, *self.paths()], work, env, timeout + 60)
        tests = {}
        for line in out.splitlines():
            try:
                event = json.loads(line)
            except ValueError:
                continue
            if isinstance(event, dict) and event.get('Action') in ('pass', 'fail', 'skip') and 'Package' in event:
                if 'Test' in event or event['Action'] != 'skip':  # a skipped package has no tests
                    name = re.sub(r'0x[0-9a-f]{6,}', '0x?', event.get('Test', '(package)'))  # some are named by an address
                    tests[f'{event["Package"]} {name}'] = event['Action']
        if not tests:
            raise Trouble('go test: ' + last_line(err or out))
        runs = [json.loads(f.read_text()) for f in sorted(notes.glob('*.json'))]
        if geist:
            self.store.with_name(self.store.name + '.geist.jsonl').write_text(out + err)
        return Outcome(tests, runs)


    def build(self):
        """Fetches and compiles everything, runs nothing; a sentence when that failed. Later runs only link."""
        folder = Path(tempfile.mkdtemp(prefix='geist-gate.'))
        try:
            env = environment(folder, self.is_std)
            work = self.prepare(folder, env)
            code, out, err = go(['test', '-vet=off', '-count=1', '-exec', 'true', *self.paths()], work, env, 900)
            return last_line(err or out) if code else ''
        except Trouble as why:
            return str(why)
        finally:
            remove(folder)


def remove(folder):
    subprocess.run(['chmod', '-R', 'u+w', folder], check=False)
    shutil.rmtree(folder, ignore_errors=True)


def environment(folder, is_std):
    env = dict(os.environ, GOWORK='off', GO111MODULE='on', TMPDIR=str(folder / 'tmp'))
    for key in ('GEIST', 'CI', 'GOTMPDIR'):  # test binaries are linked to beside TMPDIR, see tests/gate/under
        env.pop(key, None)
    if not is_std:
        env['CGO_ENABLED'] = '0'
        env['GOFLAGS'] = (env.get('GOFLAGS', '') + ' -mod=mod -buildvcs=false').strip()
    os.makedirs(env['TMPDIR'])
    return env


def differing(a, b):
    return sorted(k for k in a.tests.keys() | b.tests.keys() if a.tests.get(k) != b.tests.get(k))


def judge(suite, work, env, geist, timeout, row):
    """Fills the row's verdict."""
    plain = suite.run(work, env, None, timeout)
    watched = suite.run(work, env, geist, timeout)
    row.tests = sum(1 for k, v in plain.tests.items() if v == 'pass' and not k.endswith(' (package)'))
    row.plain_cpu_s, row.geist_cpu_s = plain.sum('cpu_s'), watched.sum('cpu_s')
    row.plain_wall_s, row.geist_wall_s = plain.sum('wall_s'), watched.sum('wall_s')
    for note in watched.runs:
        if 'refused' in note:
            row.verdict, row.detail = 'DIFFERENT', f'{Path(note["argv"][0]).name}: {note["refused"]}'
        row.findings += note.get('report', {}).get('findings', [])
    names = differing(plain, watched)
    if row.verdict == 'DIFFERENT':
        return
    if row.plain_cpu_s >= LEAST_CPU_S and not suite.is_std:
        row.take_costs(*measure_suite(plain.runs, geist))
    if not names:
        return
    # Once more, for what differs.
    plain_again, watched_again = suite.run(work, env, None, timeout), suite.run(work, env, geist, timeout)
    flaky = set(differing(plain, plain_again))
    twice = [n for n in names if n not in flaky and n in differing(plain_again, watched_again)]
    once = [n for n in names if n not in flaky and n not in twice]
    deadline = time.monotonic() + FURTHER_SECONDS
    while (twice or once) and time.monotonic() < deadline:
        flaky.update(differing(plain, suite.run(work, env, None, timeout)))
        twice, once = ([n for n in some if n not in flaky] for some in (twice, once))
    row.verdict = 'DIFFERENT' if twice else 'unsteady' if once else 'flaky'
    row.detail = ', '.join(f'{n} ({watched.tests.get(n, "absent")}, plain {plain.tests.get(n, "absent")})'
                           for n in (twice or once or names)[:6])


def check(suite, geist, timeout):
    row = Row(suite.name)
    folder = Path(tempfile.mkdtemp(prefix='geist-gate.'))
    try:
        env = environment(folder, suite.is_std)
        work = suite.prepare(folder, env)
        judge(suite, work, env, geist, timeout, row)
    except Trouble as why:
        row.verdict, row.detail = 'skipped', str(why)
    finally:
        remove(folder)
    return row
