"""Test suites in the configuration that people use, and in another one: every test binary alone once and under geist several times;
outcomes compared test by test.

`geist test` has the names of variables in its binaries (`dwarf`), as programs of a plain `go build` have; `stripped` is what `go test`
links by itself. A finding that is false comes and goes with the timing, so one run says little: there are --runs of them, quiet ones as
`go test` makes them, for -v makes a suite print and geist look at that instead. One more run is with -v, where the verdict of every test
is seen; a quiet one tells which tests failed. What a suite says alone is kept in the cache.

A test whose outcome differs under geist is run alone some more times. Where those runs differ from each other the test is flaky and
says nothing. Where they agree, and more than one run under geist differs from them, it is geist's doing; where it is one run the test is
unsteady, which is named in the table and no failure.
"""
import collections
import json
import time
from dataclasses import asdict, dataclass, field

from binaries import Outcome, run_all
from suites import Trouble
from timing import measure_suite

LEAST_CPU_S = 0.5      # a ratio of less than this says more about the clock than about geist
FURTHER_SECONDS = 120  # for plain runs of binaries with a test that ended otherwise under geist; at least two are made
WORST_FIRST = ('DIFFERENT', 'skipped', 'unsteady', 'flaky', 'same')


@dataclass
class Pass:
    """What the runs of one suite or program in one build gave."""
    runs: int = 0                                 # under geist
    verdict: str = 'same'                         # same, flaky, unsteady, DIFFERENT, skipped
    detail: str = ''
    findings: list = field(default_factory=list)  # each once, with "runs": in how many


@dataclass
class Row:
    """What the tables say of one suite or program."""
    name: str
    tests: int = 0
    passes: dict = field(default_factory=dict)    # build -> Pass
    plain_cpu_s: float = 0
    geist_cpu_s: float = 0
    plain_wall_s: float = 0
    geist_wall_s: float = 0
    left_out: int = 0                             # of its binaries, from the costs: see timing.py

    def take_costs(self, plain, watched, left_out):
        """Of what timing.alternate gave."""
        self.left_out = len(left_out)
        self.plain_cpu_s, self.plain_wall_s = plain.sum('cpu_s'), plain.sum('wall_s')
        self.geist_cpu_s, self.geist_wall_s = watched.sum('cpu_s'), watched.sum('wall_s')


def short_finding(finding):
    """What identifies a finding in a table, without addresses and values of one run."""
    site, victim = finding['site'], finding.get('victim') or {}
    return {'level': finding['level'], 'function': site['function'], 'file': site['file'].rsplit('/', 1)[-1], 'line': site['line'],
            'victim': victim.get('name') or victim.get('type') or victim.get('holder'),
            'reader': (finding.get('reads') or [{}])[0].get('function')}


def count_findings(runs):
    """runs: the findings of each run. Each finding once, with the number of runs that have it."""
    counts, shown = collections.Counter(), {}
    for found in runs:
        keys = {json.dumps(short_finding(f), sort_keys=True) for f in found}
        counts.update(keys)
        shown.update({k: json.loads(k) for k in keys})
    return [dict(shown[k], runs=counts[k]) for k in sorted(shown)]


def failed(outcome):
    return {name for name, verdict in outcome.tests.items() if verdict == 'fail'}


def differing(plain, other):
    """Names of tests; plain is never quiet."""
    if other.is_quiet:
        return sorted(failed(plain) ^ failed(other))
    return sorted(k for k in plain.tests.keys() | other.tests.keys() if plain.tests.get(k) != other.tests.get(k))


def plain_outcome(suite, binaries):
    """How the suite ends alone: from the cache, or run now. It does so whichever way it is linked; where it does not, compare() finds out."""
    place = suite.cache / 'plain' / f'{suite.file_name}.json'
    if place.exists():
        known = json.loads(place.read_text())
        if known['go'] == suite.go_version:
            return Outcome(known['tests'], known['runs'])
    outcome = run_all(binaries, None, suite.timeout + 60)
    place.parent.mkdir(exist_ok=True)
    runs = [note and {k: v for k, v in note.items() if k != 'env'} for note in outcome.runs]
    place.write_text(json.dumps({'go': suite.go_version, 'tests': outcome.tests, 'runs': runs}))
    return outcome


def compare(suite, binaries, plain, watched, result):
    """Fills the verdict of a Pass: watched are the outcomes of the runs under geist."""
    counts = collections.Counter(name for w in watched for name in differing(plain, w))
    if not counts:
        return
    concerned = [b for b in binaries if any(n.split(' ', 1)[0] == b['package'] for n in counts)]
    flaky, start, rounds = set(), time.monotonic(), 0
    while rounds < 2 or (set(counts) - flaky and time.monotonic() - start < FURTHER_SECONDS and rounds < 4 * len(watched)):
        again = run_all(concerned, None, suite.timeout + 60)
        flaky |= {n for n in counts if again.tests.get(n) != plain.tests.get(n)}
        rounds += 1
    steady = [n for n in sorted(counts) if n not in flaky]
    twice = [n for n in steady if counts[n] > 1]
    result.verdict = 'DIFFERENT' if twice else 'unsteady' if steady else 'flaky'
    result.detail = ', '.join(f'{n} ({counts[n]} of {len(watched)} runs; plain {plain.tests.get(n, "absent")})'
                              for n in (twice or steady or sorted(counts))[:6])


def run_pass(suite, build, options, row):
    """Alone as often as comparing needs; under geist as often as options say, and once with -v."""
    result = Pass()
    binaries = suite.binaries(build)
    plain = plain_outcome(suite, binaries)
    row.tests = sum(1 for k, v in plain.tests.items() if v == 'pass' and not k.endswith(' (package)'))
    quiet = [False, *[True] * options.runs]
    watched = [run_all(binaries, options.geist, suite.timeout + 60, is_quiet) for is_quiet in quiet]
    result.runs = options.runs
    found = [w.findings() for w in watched]
    refused = [why for w in watched for why in w.refused()]
    if refused:
        result.verdict, result.detail = 'DIFFERENT', refused[0]
    else:
        compare(suite, binaries, plain, watched, result)
    is_timed = build == 'dwarf' and not options.no_costs and not suite.is_std and plain.sum('cpu_s') >= LEAST_CPU_S
    if is_timed and result.verdict != 'DIFFERENT':
        row.take_costs(*measure_suite(binaries, options.geist, found.append))
    result.findings = count_findings(found)
    return result


def check(suite, options, row):
    """All builds that are asked for; row has what is known of the others."""
    for build in options.builds:
        try:
            row.passes[build] = asdict(run_pass(suite, build, options, row))
        except Trouble as why:
            row.passes[build] = asdict(Pass(verdict='skipped', detail=str(why)))
        if not options.keep_linked:
            suite.remove_binaries(build)
    return row
