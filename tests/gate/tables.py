"""Tables of what the gate has seen: docs/gate.md (verdicts and findings) and docs/overhead.md (cost)."""
import math
import os
from pathlib import Path

from go_tests import LEAST_CPU_S
from timing import MOST_SPREAD

ROOT = Path(__file__).resolve().parents[2]


def short_finding(finding):
    """What identifies a finding in a table, without addresses and values of one run."""
    site, victim = finding['site'], finding.get('victim') or {}
    return {'level': finding['level'], 'function': site['function'], 'file': site['file'].rsplit('/', 1)[-1], 'line': site['line'],
            'victim': victim.get('name') or victim.get('type') or victim.get('holder'),
            'reader': (finding.get('reads') or [{}])[0].get('function'), 'fingerprint': finding.get('fingerprint')}


def is_known(finding):
    """Is it explained in docs/found.md? Every entry there names the appending function in backquotes."""
    found = ROOT / 'docs' / 'found.md'
    return found.exists() and f'`{finding["function"]}`' in found.read_text()


def ratios(results, kinds):
    rows = [(r['geist_cpu_s'] / r['plain_cpu_s'], r) for r in results.values()
            if r['kind'] in kinds and r['plain_cpu_s'] >= LEAST_CPU_S and r['verdict'] != 'skipped' and r['geist_cpu_s'] > 0]
    return sorted(rows, key=lambda x: -x[0])


def may_be_timed(row):
    """Was it, or nearly? What was left out may count the next time."""
    return row['kind'] == 'programs' or (row['kind'] == 'modules' and (row['plain_cpu_s'] >= LEAST_CPU_S / 2 or row.get('left_out')))


def mean(rows):
    return math.exp(sum(math.log(x) for x, _ in rows) / len(rows)) if rows else float('nan')


def unique_findings(results):
    seen = {}
    for row in results.values():
        for f in row['findings']:
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


def write_gate(docs, results):
    lines = ['# The gate', '', 'Other people\'s test suites and programs, alone and under `geist run`, compared test by test. Written by',
             '`make gate-all`; what each finding is about stands in [found.md](found.md).', '',
             '`same`: every test ended as it does alone. `flaky`: runs without geist differ already. `unsteady`: a test ended',
             'otherwise under geist once, and not when it was run again. `DIFFERENT`: twice, which is a bug of geist.', '']
    verdicts = [r['verdict'] for r in results.values()]
    lines += [f'- {len(verdicts)} suites and programs: ' + ', '.join(f'{verdicts.count(v)} {v}' for v in sorted(set(verdicts))),
              f'- {list(summary(results))[-1]}', '']
    for kind, title in (('programs', 'Programs'), ('std', 'Go\'s own tests (short mode)'), ('modules', 'Modules')):
        rows = [r for r in results.values() if r['kind'] == kind]
        if not rows:
            continue
        lines += [f'## {title}', '', '| | tests | verdict | findings |', '|---|---|---|---|']
        for r in sorted(rows, key=lambda r: r['name']):
            found = ', '.join(sorted({f'{f["level"]} `{f["function"]}`' for f in r['findings']}))
            detail = f' ({r["detail"]})' if r['detail'] and r['verdict'] != 'same' else ''
            lines.append(f'| {r["name"]} | {r["tests"]} | {r["verdict"]}{detail} | {found} |'.replace('  ', ' '))
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
