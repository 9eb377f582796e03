"""Go programs built by the releases that geist supports, each binary built once.

A binary lives in build/e2e-cache/KEY/NAME, where KEY is a hash of everything it is made from: the files of its module
folder that it can use, the release, flags and environment. Many programs of one module are built by one `go build`,
which is several times faster than one after the other.
"""
import hashlib
import os
import shutil
import subprocess
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CACHE = ROOT / 'build' / 'e2e-cache'
RELEASES = ['1.21.13', '1.22.12', '1.23.12', '1.24.13', '1.25.9', '1.26.8', '1.27.3']
STRIPPED_RELEASES = ['1.21.13', '1.24.13', '1.26.8', '1.27.3']
KEEP_DAYS = 7  # binaries that no run has asked for since are removed


class Skip(Exception):
    """The case cannot run here; the text says why."""


class BuildError(Exception):
    pass


@dataclass(frozen=True)
class Build:
    """What to build: a package folder below a module folder, by a release, with flags."""
    module: str                      # relative to the root: "lab", "tests/go"
    package: str                     # folder in it, or an import path of the standard library ("cmd/gofmt")
    release: str                     # "1.26.8"
    flags: tuple = field(default=())
    env: tuple = field(default=())   # pairs: (("GOARCH", "arm64"),)

    @property
    def name(self):
        return self.package.rsplit('/', 1)[-1]

    @property
    def in_module(self):
        return (ROOT / self.module / self.package).is_dir()


STRIPPED = ('-ldflags=-s -w',)


def go_env(release, env=()):
    """The environment of a go command of this release; what a user has set for other builds does not leak in."""
    result = dict(os.environ, GOTOOLCHAIN='go' + release, CGO_ENABLED='0', GOWORK='off')
    for key in ('GOFLAGS', 'GOARCH', 'GOOS', 'GOEXPERIMENT', 'GODEBUG', 'GOAMD64'):
        result.pop(key, None)
    result.update(env)
    return result


class Builder:
    def __init__(self):
        self._lock = threading.Lock()
        self._locks = {}
        self._toolchains = {}
        self._hashes = {}
        CACHE.mkdir(parents=True, exist_ok=True)
        self._forget_old()

    def default_release(self):
        """The release of the `go` in PATH."""
        env = {k: v for k, v in os.environ.items() if k != 'GOTOOLCHAIN'}
        try:
            text = subprocess.run(['go', 'env', 'GOVERSION'], env=env, capture_output=True, text=True, check=True).stdout
        except (OSError, subprocess.CalledProcessError) as error:
            raise Skip(f'no go command: {error}') from error
        return text.strip().removeprefix('go').split()[0]

    def goroot(self, release):
        self.require(release)
        return subprocess.run(['go', 'env', 'GOROOT'], env=go_env(release), capture_output=True, text=True,
                              check=True).stdout.strip()

    def require(self, release):
        """Raises Skip when this toolchain is not here and cannot be downloaded."""
        with self._lock:
            if release not in self._toolchains:
                try:
                    r = subprocess.run(['go', 'version'], env=go_env(release), capture_output=True, text=True, timeout=300)
                    ok = r.returncode == 0 and ('go' + release) in r.stdout
                    self._toolchains[release] = '' if ok else (r.stderr.strip() or r.stdout.strip())
                except (OSError, subprocess.TimeoutExpired) as error:
                    self._toolchains[release] = str(error)
            why = self._toolchains[release]
        if why:
            raise Skip(f'no toolchain go{release}: {why.splitlines()[-1]}')

    def get(self, build):
        """The path of the binary, built now if it is not in the cache."""
        self.require(build.release)
        path = self._path(build)
        with self._lock:
            lock = self._locks.setdefault(path, threading.Lock())
        with lock:
            if not path.exists():
                self._go_build([build])
            os.utime(path.parent)
        return path

    def prepare(self, builds, say):
        """Builds what is missing, one go command for all that share module, release and flags."""
        groups = {}
        for build in dict.fromkeys(builds):
            if build.in_module and not self._path(build).exists():
                groups.setdefault((build.module, build.release, build.flags, build.env), []).append(build)
        for (_, release, flags, _), group in groups.items():
            say(f'building {len(group)} programs with go{release} {" ".join(flags)}'.rstrip())
            try:
                self.require(release)
                self._go_build(group)
            except (Skip, BuildError):
                pass  # the cases that need them say so

    def _go_build(self, group):
        first = group[0]
        out = CACHE / f'tmp-{os.getpid()}-{threading.get_ident()}-{time.monotonic_ns()}'
        out.mkdir()
        try:
            packages = ['./' + b.package if b.in_module else b.package for b in group]
            r = subprocess.run(['go', 'build', '-buildvcs=false', *first.flags, '-o', f'{out}/', *packages],
                               cwd=ROOT / first.module, env=go_env(first.release, first.env), capture_output=True, text=True)
            if r.returncode != 0:
                raise BuildError(f'go build {" ".join(packages[:3])}: {r.stderr.strip()}')
            suffix = '.exe' if ('GOOS', 'windows') in first.env else ''
            for build in group:
                path = self._path(build)
                path.parent.mkdir(parents=True, exist_ok=True)
                os.replace(out / (build.name + suffix), path)
        finally:
            shutil.rmtree(out, ignore_errors=True)

    def _path(self, build):
        key = hashlib.sha256(repr((build.release, build.flags, build.env, build.package, self._content(build))).encode())
        return CACHE / key.hexdigest()[:24] / build.name

    def _content(self, build):
        if not build.in_module:
            return ''
        folder = ROOT / build.module
        with self._lock:
            known = self._hashes.get((build.module, build.package))
        if known:
            return known
        digest = hashlib.sha256()
        # the path counts too: it is in the line tables
        files = [folder / 'go.mod', *sorted((folder / build.package).rglob('*'))]
        for file in files:
            if file.is_file():
                digest.update(str(file).encode() + b'\0' + file.read_bytes() + b'\0')
        with self._lock:
            return self._hashes.setdefault((build.module, build.package), digest.hexdigest())

    def _forget_old(self):
        limit = time.time() - KEEP_DAYS * 86400
        for entry in CACHE.iterdir():
            try:
                if entry.stat().st_mtime < limit:
                    shutil.rmtree(entry, ignore_errors=True)
            except FileNotFoundError:
                pass  # another run was faster
