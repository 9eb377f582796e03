"""Test suites of modules and of the standard library, fetched, and their test binaries linked once in each of two ways.

A binary is kept as `go test` would have started it: with its arguments, folder and environment. So it can be run as often as one
likes, alone and under geist, without a link in between. What a suite needs of the module proxy (go.mod, go.sum) and its binaries stay
in the gate's cache.
"""
import csv
import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
GO_VERSION = '1.26'  # of the scratch module; dependencies may ask for more
# What the go command is told to link with. `geist test` asks for the first, as every `go build` does; the other is what `go test` does
# by itself.
LDFLAGS = {'dwarf': '-s=0 -w=0', 'stripped': '-s -w'}
LINK_SECONDS = 900


class Trouble(Exception):
    """The suite could not be fetched or started; the text says why."""


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


def go_version():
    """Of the go in PATH, "go1.26.8"."""
    return subprocess.run(['go', 'env', 'GOVERSION'], capture_output=True, text=True, check=True).stdout.strip()


def environment(folder, is_std):
    env = dict(os.environ, GOWORK='off', GO111MODULE='on', TMPDIR=str(folder / 'tmp'))
    for key in ('GEIST', 'CI', 'GOTMPDIR'):  # test binaries are linked below TMPDIR, see tests/gate/under
        env.pop(key, None)
    if not is_std:
        env['CGO_ENABLED'] = '0'
        env['GOFLAGS'] = (env.get('GOFLAGS', '') + ' -mod=mod -buildvcs=false').strip()
    os.makedirs(env['TMPDIR'], exist_ok=True)
    return env


def remove(folder):
    """What a test left may be read-only; what is not there is removed already."""
    if not folder.exists():
        return
    subprocess.run(['chmod', '-R', 'u+w', folder], check=False)
    shutil.rmtree(folder, ignore_errors=True)


class Suite:
    """One row of modules.tsv. The module "std" is the standard library itself, in short mode."""

    def __init__(self, row, cache, version, timeout):
        self.module, self.version, self.packages = row['module'], row['version'], row['packages'].split()
        self.is_std = self.module == 'std'
        self.name = f'std {row["packages"]}' if self.is_std else f'{self.module}@{self.version}'
        self.go_version, self.timeout = version, timeout
        self.cache, self.file_name = cache, self.name.replace('/', '!').replace(' ', '_')

    def paths(self):
        if self.is_std:
            return self.packages
        return [self.module if p == '.' else f'{self.module}/{p.removeprefix("./")}' for p in self.packages]

    def stored(self, suffix):
        return self.cache / (self.name.replace('/', '!') + suffix)

    def prepare(self, folder, env):
        """A scratch module that requires this one; its go.mod and go.sum are kept, so that later runs ask no proxy."""
        work = folder / 'm'
        work.mkdir()
        if self.is_std:
            (work / 'go.mod').write_text(f'module geist.example/gate\n\ngo {GO_VERSION}\n')  # sets the defaults of GODEBUG
            return work
        kept = [self.stored('.go.mod'), self.stored('.go.sum')]
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

    def place(self, build):
        return self.cache / 'linked' / f'{self.file_name}.{build}'

    def binaries(self, build):
        """The test binaries in that build, linked now where they are not there: what tests/gate/under wrote of each, and its package."""
        place = self.place(build)
        listed = place / 'binaries.json'
        if listed.exists():
            known = json.loads(listed.read_text())
            if known['go'] == self.go_version and all(Path(b['kept']).exists() for b in known['binaries']):
                return known['binaries']
        remove(place)
        place.mkdir(parents=True)
        folder = Path(tempfile.mkdtemp(prefix='geist-gate.'))
        try:
            found = self.link(build, place, folder)
        except Trouble:
            remove(place)
            raise
        finally:
            remove(folder)
        listed.write_text(json.dumps({'go': self.go_version, 'binaries': found}))
        return found

    def link(self, build, place, folder):
        env = environment(folder, self.is_std)
        work = self.prepare(folder, env)
        args = ['test', '-vet=off', '-count=1', '-json', f'-timeout={self.timeout}s', '-exec', f'{HERE / "under"} {place} save',
                f'-ldflags={LDFLAGS[build]}', *(['-short'] if self.is_std else []), *self.paths()]
        _, out, err = go(args, work, env, LINK_SECONDS)
        found = [json.loads(f.read_text()) for f in sorted(place.glob('*.json'))]
        if not found and not says_no_tests(out):
            raise Trouble('go test: ' + last_line(err or said(out)))
        _, listing, _ = go(['list', '-f', '{{.Dir}}\t{{.ImportPath}}', *self.paths()], work, env, 300)
        packages = dict(line.split('\t') for line in listing.splitlines() if '\t' in line)
        for binary in found:
            binary['package'] = packages.get(binary['cwd'], binary['cwd'])
        return sorted(found, key=lambda b: b['package'])

    def build(self, builds):
        """Fetches, compiles and links everything, runs nothing; a sentence when that failed."""
        try:
            for build in builds:
                self.binaries(build)
            return ''
        except Trouble as why:
            return str(why)

    def remove_binaries(self, build):
        remove(self.place(build))


def events(out):
    for line in out.splitlines():
        try:
            event = json.loads(line)
        except ValueError:
            continue
        if isinstance(event, dict):
            yield event


def says_no_tests(out):
    """Packages without tests are skipped, and nothing else happened."""
    actions = {e.get('Action') for e in events(out)} - {'start', 'output'}
    return actions == {'skip'}


def said(out):
    return ''.join(e.get('Output', '') for e in events(out))
