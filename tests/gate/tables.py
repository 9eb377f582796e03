"""Tables of what the gate has seen: docs/gate.md (verdicts and findings) and docs/overhead.md (cost)."""
import math
import os
from pathlib import Path

from go_tests import LEAST_CPU_S, WORST_FIRST
from timing import MOST_SPREAD

ROOT = Path(__file__).resolve().parents[2]


LISTED = ('likely', 'confirmed', 'proved')  # levels, each of which docs/found.md must explain


def verdict(row):
    """The worst of its builds."""
    seen = [p['verdict'] for p in row['passes'].values()]
    return next((v for v in WORST_FIRST if v in seen), 'skipped')


def detail(row):
    return '; '.join(f'{build}: {p["detail"]}' for build, p in row['passes'].items() if p['detail'])


def findings(row):
    """With the build that each was seen in."""
    return [dict(f, build=build, of=p['runs']) for build, p in row['passes'].items() for f in p['findings']]


def unknown(results):
    """What docs/found.md does not explain: (finding, row)."""
    return [(f, row) for row in results.values() for f in findings(row) if f['level'] in LISTED and not is_known(f)]


def is_known(finding):
    """Is it explained in docs/found.md? Every entry there names the appending function in backquotes."""
    found = ROOT / 'docs' / 'found.md'
    return found.exists() and f'`{finding["function"]}`' in found.read_text()


def ratios(results, kinds):
    rows = [(r['geist_cpu_s'] / r['plain_cpu_s'], r) for r in results.values()
            if r['kind'] in kinds and r['plain_cpu_s'] >= LEAST_CPU_S and verdict(r) != 'skipped' and r['geist_cpu_s'] > 0]
    return sorted(rows, key=lambda x: -x[0])


def may_be_timed(row):
    """Was it, or nearly? What was left out may count the next time."""
    return row['kind'] == 'programs' or (row['kind'] == 'modules' and (row['plain_cpu_s'] >= LEAST_CPU_S / 2 or row.get('left_out')))


def mean(rows):
    return math.exp(sum(math.log(x) for x, _ in rows) / len(rows)) if rows else float('nan')


def unique_findings(results):
    seen = {}
    for row in results.values():
        for f in findings(row):
            seen.setdefault((f['function'], f['line'], f['level']), (f, row['name']))
    return [seen[k] for k in sorted(seen)]


def summary(results):
    rows = ratios(results, ('modules', 'programs'))
    if rows:
        yield (f'processor time under geist: geometric mean {mean(rows):.3f}x of {len(rows)}, '
               f'worst {rows[0][0]:.2f}x ({rows[0][1]["name"]})')
    found = unique_findings(results)
    yield f'findings: {sum(f["level"] == "confirmed" for f, _ in found)} confirmed, {sum(f["level"] == "likely" for f, _ in found)} likely'


def machine():
    model = next((line.split(':', 1)[1].strip() for line in Path('/proc/cpuinfo').read_text().splitlines() if 'model name' in line), '?')
    return f'{os.cpu_count()} CPUs ({model})'


def cell(row, build):
    """What one build of one suite gave, in a table."""
    if build not in row['passes']:
        return ' | '
    p = row['passes'][build]
    found = ', '.join(sorted(f'{f["level"]} `{f["function"]}` in {f["runs"]}' for f in p['findings']))
    why = f' ({p["detail"]})' if p['detail'] and p['verdict'] != 'same' else ''
    return f'{p["runs"]} x {p["verdict"]}{why} | {found}'


def write_gate(docs, results):
    lines = ['# The gate', '', 'Other people\'s test suites and programs, alone and under geist, compared test by test. Written by',
             '`make gate-all`; what each finding is about stands in [found.md](found.md).', '',
             'With DWARF: test binaries as `geist test` has them linked, programs by a plain `go build`. Stripped: as `go test` links by itself',
             '(`-ldflags="-s -w"`). `5 x same`: in each of five runs under geist, and of suites in one more with -v, every test ended as it does',
             'alone. `flaky`: runs without geist differ already. `unsteady`: a test ended otherwise in one run under geist. `DIFFERENT`: in more',
             'than one, which is a bug of geist. A finding stands with its level and the number of runs that had it; one that found.md does not',
             'explain fails the gate.', '']
    verdicts = [verdict(r) for r in results.values()]
    runs = sum(p['runs'] for r in results.values() for p in r['passes'].values())
    lines += [f'- {len(verdicts)} suites and programs, {runs} runs under geist: '
              + ', '.join(f'{verdicts.count(v)} {v}' for v in sorted(set(verdicts))), f'- {list(summary(results))[-1]}', '']
    for kind, title in (('programs', 'Programs'), ('std', 'Go\'s own tests (short mode)'), ('modules', 'Modules')):
        rows = [r for r in results.values() if r['kind'] == kind]
        if not rows:
            continue
        lines += [f'## {title}', '', '| | tests | with DWARF | findings | stripped | findings |', '|---|---|---|---|---|---|']
        for r in sorted(rows, key=lambda r: r['name']):
            lines.append(f'| {r["name"]} | {r["tests"]} | {cell(r, "dwarf")} | {cell(r, "stripped")} |'.replace('  ', ' '))
        lines.append('')
    (docs / 'gate.md').write_text('\n'.join(lines).rstrip() + '\n')


def write_overhead(docs, results):
    lines = ['# What watching costs', '', f'Written by `make gate-all` on {machine()}. Processor time (user and system) of the program itself,',
             'alone and under `geist run`, which took turns; of each binary the median. Wall time includes the wait of the attention',
             'budget. What geist uses beside the program, for its start and for judging, is in neither. A test suite is several binaries,',
             'each of which pays 2 to 3 ms of its time for being patched, and up to 15 ms for being looked at. Left out: less than',
             f'{LEAST_CPU_S} s, where a ratio says little, and Go\'s own tests, which run once.', '']
    for kinds, title in ((('programs',), 'Programs'), (('modules',), 'Test suites')):
        rows = ratios(results, kinds)
        if not rows:
            continue
        lines += [f'## {title}', '', f'Geometric mean {mean(rows):.3f}x, worst {rows[0][0]:.2f}x.', '',
                  '| | alone | geist | ratio | wall alone | wall geist |', '|---|---|---|---|---|---|']
        for ratio, r in rows:
            lines.append(f'| {r["name"]} | {r["plain_cpu_s"]:.2f} s | {r["geist_cpu_s"]:.2f} s | {ratio:.2f}x | {r["plain_wall_s"]:.2f} s '
                         f'| {r["geist_wall_s"]:.2f} s |')
        lines.append('')
    left_out = [f'{r["name"]} ({r["left_out"]})' for r in results.values() if r.get('left_out')]
    if left_out:
        lines += [f'Binaries whose runs alone are far apart (upper quartile above {MOST_SPREAD} times the lower one), or that did not end'
                  ' on both sides, which are left out of the sums above: ' + ', '.join(sorted(left_out)) + '.']
    (docs / 'overhead.md').write_text('\n'.join(lines).rstrip() + '\n')


def write(docs, results):
    write_gate(docs, results)
    write_overhead(docs, results)
