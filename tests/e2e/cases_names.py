"""One bug, one name: a finding has the same fingerprint with its source and without it, with debug information and without,
with -trimpath, and built by every supported release. A baseline from one machine hides the bug on another."""
import json
import os
import shutil
import subprocess
from collections import namedtuple
from concurrent.futures import ThreadPoolExecutor
from itertools import combinations

import registry
from cases_lab import programs
from go_builds import RELEASES, ROOT, STRIPPED, Build, go_env
from truth import read_truth
from watched import Failure, Watcher, findings

SOME = ['orders', 'bug_closure', 'bug_generics', 'bug_slices_delete', 'bug_two_inlined', 'bug_map_held']
FLAGS = {'stripped': STRIPPED, 'no-dwarf': ('-ldflags=-w',), 'trimpath': ('-trimpath',)}
ATTEMPTS = 4  # what is found depends on the moment, what it is called does not
LEAST_SHARE = 0.95

Kind = namedtuple('Kind', 'name release flags')


def kinds(release, releases):
    return [Kind(name, release, flags) for name, flags in FLAGS.items()] + [Kind('go' + r, r, ()) for r in releases]


def build_without_source(ctx, names, release):
    """The programs, built in a folder that is gone afterwards: name → path."""
    here, out = ctx.folder / 'away', ctx.folder / 'programs'
    here.mkdir()
    out.mkdir()
    shutil.copy(ROOT / 'lab' / 'go.mod', here)
    for name in names:
        shutil.copytree(ROOT / 'lab' / name, here / name)
    subprocess.run(['go', 'build', '-buildvcs=false', '-o', f'{out}/', *['./' + name for name in names]], cwd=here, env=go_env(release),
                   check=True, capture_output=True)
    shutil.rmtree(here)
    return {name: out / name for name in names}


def watch(ctx, name, kind, binary, flags=(), is_hidden=False):
    """The findings of the first run that has some; when they are to be hidden, of several runs."""
    folder = ctx.folder / f'{name}-{kind}'
    folder.mkdir(exist_ok=True)
    watcher = Watcher(ctx.options.geist, folder)
    lab_flags = read_truth(ROOT / 'lab' / name).flags
    for _ in range(ATTEMPTS) if is_hidden else ctx.attempts(ATTEMPTS):
        found = findings(watcher.run([binary], flags=[*lab_flags, *flags], cwd=folder))
        if found:
            break
    return found


def check(ctx, names, releases, jobs):
    """Every name of a program's bugs in all kinds of builds: {program: {kind: set of fingerprints}}."""
    builds = {(name, kind.name): Build('lab', name, kind.release, kind.flags) for name in names for kind in kinds(ctx.release, releases)}
    ctx.builds.prepare(list(builds.values()), say=lambda _: None)
    binaries = {key: ctx.builds.get(build) for key, build in builds.items()}
    for name, path in build_without_source(ctx, names, ctx.release).items():
        binaries[name, 'source away'] = path
    seen = {name: {} for name in names}

    def run_one(key):
        name, kind = key
        return key, {f['fingerprint'] for f in watch(ctx, name, kind, binaries[key])}
    with ThreadPoolExecutor(jobs) as pool:
        for (name, kind), prints in pool.map(run_one, binaries):
            seen[name][kind] = prints
    return seen


def judge(seen):
    """The programs whose bugs have more than one name, and how many runs had no finding."""
    split, missed = {}, 0
    for name, by_kind in seen.items():
        missed += sum(not prints for prints in by_kind.values())
        most = max(by_kind.values(), key=len)
        if not most or set().union(*by_kind.values()) != most:
            split[name] = by_kind
    return split, missed


def shared(seen):
    """Pairs of programs that have a name in common: theirs are different bugs."""
    names = {name: set().union(*by_kind.values()) for name, by_kind in seen.items()}
    return [f'{a} and {b}' for a, b in combinations(sorted(names), 2) if names[a] & names[b]]


def describe(split):
    return '; '.join(f'{name}: ' + ', '.join(f'{kind} {sorted(p[-6:] for p in prints)}' for kind, prints in by_kind.items())
                     for name, by_kind in split.items())


def some(ctx):
    releases = [r for r in dict.fromkeys([ctx.release, RELEASES[0], RELEASES[-1]])]
    seen = check(ctx, SOME, releases, 1)
    split, missed = judge(seen)
    if split:
        raise Failure('more than one name: ' + describe(split))
    if both := shared(seen):
        raise Failure(f'one name for two bugs: {both}')
    return f'{missed} runs without a finding' if missed else None


def all_bugs(ctx):
    """Bugs that geist is known not to see (want-miss) have no name to compare."""
    truths = {name: read_truth(ROOT / 'lab' / name) for name in programs() if name.startswith('bug_')}
    names = [name for name, truth in truths.items() if truth.is_bug() and not truth.miss]
    seen = check(ctx, names, RELEASES, max(1, os.cpu_count() or 1))
    split, missed = judge(seen)
    runs = sum(len(by_kind) for by_kind in seen.values())
    note = f'{len(names) - len(split)} of {len(names)} bugs have one name in {3 + 1 + len(RELEASES)} kinds of builds; {missed} of {runs} runs without a finding'
    (ctx.folder / 'split.json').write_text(json.dumps({n: {k: sorted(p) for k, p in by.items()} for n, by in split.items()}, indent=1))
    if len(split) > (1 - LEAST_SHARE) * len(names):
        raise Failure(f'{note}: {describe(split)}')
    if missed > (1 - LEAST_SHARE) * runs:
        raise Failure(f'{note}: too many to say so')
    if both := shared(seen):
        raise Failure(f'{note}; one name for two bugs: {both}')
    return note + (': not ' + ', '.join(split) if split else '')


def baselines(ctx):
    """A baseline written with source and DWARF hides the bug in a stripped program without source; one that has only the names of
    earlier releases hides it where it did, with the source."""
    name = 'bug_closure'
    here = ctx.builds.get(Build('lab', name, ctx.release))
    found = watch(ctx, name, 'here', here)
    report = ctx.folder / f'{name}-here' / 'run.json'
    if not found:
        raise Failure(f'nothing found in {name}')
    new = f'--baseline={report}'
    old = ctx.folder / 'old.json'
    text = json.loads(report.read_text())
    for f in text['findings']:
        names = [a for a in f.pop('aliases') if ':' not in a]
        if len(names) != 1 or len(names[0]) != 16:
            raise Failure(f'aliases of earlier releases: {names}')
        f['fingerprint'] = names[0]
    old.write_text(json.dumps(text))
    away = build_without_source(ctx, [name], ctx.release)[name]
    stripped = ctx.builds.get(Build('lab', name, ctx.release, STRIPPED))
    for kind, binary, flag, hides in [('new', here, new, True), ('new, source away', away, new, True), ('new, stripped', stripped, new, True),
                                      ('old', here, f'--baseline={old}', True), ('old, source away', away, f'--baseline={old}', False)]:
        if bool(watch(ctx, name, kind.replace(', ', '-').replace(' ', '-'), binary, [flag], hides)) == hides:
            raise Failure(f'the baseline ({kind}) {"does not hide" if hides else "hides"} it')


case = registry.group('names')
case.add('some', some)
case.add('baselines', baselines)
registry.group('slow', slow=True, alone=True).add('all-bugs', all_bugs)
