"""Running a program plain and under geist, and what may differ between the two: nothing but geist's own report.

geist gets --log so that its text goes to a file: standard error of the program can then be compared byte by byte.
"""
import json
import os
import re
import shlex
import signal
import subprocess
from dataclasses import dataclass

FINDINGS_EXIT = 66
TIMEOUT = 120


class Failure(Exception):
    """The case failed; the text says what was expected and what was seen."""


@dataclass
class Ended:
    """How a process ended and what it wrote."""
    code: int          # as a shell reports it: 128 + n for signal n
    out: bytes
    err: bytes
    report: dict = None
    log: str = ''

    def last_line(self):
        lines = self.out.decode('utf-8', 'replace').strip().splitlines()
        return lines[-1] if lines else ''


def shell_code(returncode):
    return 128 - returncode if returncode < 0 else returncode


def run(argv, stdin=None, env=None, timeout=TIMEOUT, **more):
    """Runs to the end. A program that hangs is killed, which is a failure."""
    argv = [str(a) for a in argv]
    if stdin is None:
        more['stdin'] = subprocess.DEVNULL
    p = subprocess.Popen(argv, stdin=more.pop('stdin', subprocess.PIPE), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                         env=env, **more)
    try:
        out, err = p.communicate(stdin, timeout=timeout)
    except subprocess.TimeoutExpired:
        p.kill()
        p.wait()
        raise Failure(f'still running after {timeout} s: {shlex.join(argv)}') from None
    return Ended(shell_code(p.returncode), out, err)


class Watcher:
    """Runs programs under one geist, with report and log in one folder."""

    def __init__(self, geist, folder):
        self.geist = str(geist)
        self.folder = folder

    def argv(self, argv, tag='run', flags=()):
        return [self.geist, 'run', f'--log={self.folder}/{tag}.log', f'--report=json:{self.folder}/{tag}.json', *flags, '--',
                *[str(a) for a in argv]]

    def run(self, argv, tag='run', flags=(), **more):
        for name in (f'{tag}.log', f'{tag}.json'):
            (self.folder / name).unlink(missing_ok=True)
        ended = run(self.argv(argv, tag, flags), **more)
        (self.folder / f'{tag}.stdout').write_bytes(ended.out)
        (self.folder / f'{tag}.stderr').write_bytes(ended.err)
        return self.read(ended, tag)

    def read(self, ended, tag='run'):
        """Adds report and log of a run that has ended."""
        log, report = self.folder / f'{tag}.log', self.folder / f'{tag}.json'
        if log.exists():
            ended.log = log.read_text(errors='replace')
        if report.exists():
            text = report.read_text(errors='replace')
            try:
                ended.report = json.loads(text)
            except ValueError as error:
                raise Failure(f'the report is not JSON: {error}: {text[:200]!r}') from None
        return ended


def must_have_counted(report, out):
    """Compares the section `signals` with what the program (tests/go/counted) printed of itself."""
    counted = {row['function']: [row['in_place'], row['grows'], row['bytes_copied']] for row in report['signals']['rows']}
    own = [line.split() for line in out.decode().splitlines() if line.startswith('main.')]
    if len(own) != 4:
        raise Failure(f'the program printed {out!r}')
    for function, *numbers in own:
        if counted.get(function) != [int(n) for n in numbers]:
            raise Failure(f'{function}: the program counted {numbers}, geist {counted.get(function)}')
    totals = report['signals']['totals']
    if totals['grows'] != sum(row['grows'] for row in report['signals']['rows']) or totals['grows'] == 0:
        raise Failure(f'totals {totals}')


def findings(ended, least='likely'):
    """The findings at this level or above; fails when there is no valid report."""
    order = ['latent', 'suspect', 'likely', 'confirmed', 'proved']
    report = ended.report
    if report is None:
        raise Failure('no JSON report was written; geist says: ' + brief(ended.log or ended.err.decode('utf-8', 'replace')))
    if report.get('schema') != 'geist-report/1':
        raise Failure(f'schema is {report.get("schema")!r}, not geist-report/1')
    sites = report['sites']
    total = sites['always_grows'] + sites['probed'] + sum(sites['skipped'].values())
    if total != sites['growslice_calls']:
        raise Failure(f'{sites["growslice_calls"]} growslice calls, but the buckets add up to {total}: {sites}')
    for f in report['findings']:
        if f['level'] not in order:
            raise Failure(f'unknown level {f["level"]!r}')
    return [f for f in report['findings'] if order.index(f['level']) >= order.index(least)]


def describe(finding):
    site, victim, element = finding['site'], finding.get('victim') or {}, finding.get('element') or {}
    return (f'{finding["level"]} {site.get("function")} {os.path.basename(str(site.get("file")))}:{site.get("line")} '
            f'victim {victim.get("holder")} {victim.get("name")!r} {element.get("before")} -> {element.get("after")}')


def brief(text, limit=300):
    text = ' / '.join(line for line in text.strip().splitlines() if line.strip())
    return text if len(text) <= limit else text[:limit] + '…'


def same_bytes(what, plain, watched):
    """Fails with the first line that differs."""
    if plain == watched:
        return
    a, b = plain.splitlines(), watched.splitlines()
    for i in range(max(len(a), len(b))):
        x, y = (a[i] if i < len(a) else None), (b[i] if i < len(b) else None)
        if x != y:
            raise Failure(f'{what} differs in line {i + 1}: plain {x!r:.160}, under geist {y!r:.160}')
    raise Failure(f'{what} differs in line ends')


def crash_text(err):
    """What a Go crash says without what differs from run to run: the text up to the first goroutine, and that one's functions
    and lines. Addresses, arguments, thread numbers and the states of other goroutines depend on the moment."""
    head, stack = [], []
    for line in err.splitlines():
        if stack:
            if not line:
                break
            stack.append(re.sub(rb'\([^()]*\)$|\+0x[0-9a-f]+.*| in goroutine \d+', b'', line))
        elif line.startswith(b'goroutine '):
            stack.append(b'goroutine')
        else:
            head.append(re.sub(rb'0x[0-9a-f]+|\b[mg]=\d+', b'?', line))
    return b'\n'.join(head + stack)


def same_run(plain, watched, code=None, normalise=None):
    """Output, errors and exit code are the program's own; code is what geist must end with (default: the plain one)."""
    if watched.code == 3 and plain.code != 3:
        raise Failure('refused: ' + brief(watched.log or watched.err.decode('utf-8', 'replace')))
    same_bytes('stdout', plain.out, watched.out)
    if normalise:
        if normalise(plain.err) != normalise(watched.err):
            raise Failure(f'stderr differs: plain {normalise(plain.err)!r:.300}, under geist {normalise(watched.err)!r:.300}')
    else:
        same_bytes('stderr', plain.err, watched.err)
    want = plain.code if code is None else code
    if watched.code != want:
        raise Failure(f'exit code {watched.code}, expected {want}')


def signal_name(code):
    return signal.Signals(code - 128).name if 128 < code < 160 else str(code)
