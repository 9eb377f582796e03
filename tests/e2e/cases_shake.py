"""geist shake: what depends on the capacity that append gives.

    // sleeps: writer      the program is right by itself and wrong with more room: this append writes into it
    // sleeps: growth      likewise, but nothing is overwritten: this append's growth makes the difference

    // pooled: put         wrong by itself, right where the pool gives nothing back: what is put there is still in use

A bug of lab/ whose room came from growth is proved by it, awake. Honest programs show nothing, whatever they are.
"""
import json
import re
import shlex
import zlib

import registry
from cases_lab import programs
from go_builds import RELEASES, ROOT, STRIPPED, Build
from watched import Failure, brief, run

OLDEST = RELEASES[0]
_MARK = re.compile(r'//\s*sleeps: (writer|growth)\b')
_CALLERS = 3  # an append of the standard library is named with the call that it came by
# Bugs whose room came from append itself.
AWAKE = ['bug_siblings', 'bug_closure', 'bug_struct24', 'bug_paths', 'bug_logger_with', 'bug_query']


def marks(name):
    for file in sorted((ROOT / 'lab' / name).glob('*.go')):
        for number, line in enumerate(file.read_text().splitlines(), 1):
            if found := _MARK.search(line):
                yield file.name, number, found.group(1)


def sleeping():
    return [name for name in programs() if name.startswith('sleeping_')]


def shake(ctx, binary, *flags, arguments=(), **more):
    """Its exit code and its report."""
    report = ctx.folder / 'shake.json'
    report.unlink(missing_ok=True)
    ended = run([ctx.watch.geist, 'shake', f'--report=json:{report}', *flags, '--', binary, *arguments], cwd=ctx.folder, **more)
    if not report.exists():
        raise Failure(f'no report, exit code {ended.code}: {brief(ended.err.decode())}')
    ended.report = json.loads(report.read_text())
    return ended


def is_at(finding, file, line):
    frames = [finding['site'], *finding['stack'][:_CALLERS]]
    return any(str(f['file']).endswith('/' + file) and f['line'] == line for f in frames)


def check_sleeping(ctx, build):
    binary = ctx.builds.get(build)
    plain = run([binary], cwd=ctx.folder)
    if plain.last_line() != 'OK':
        raise Failure(f'the program alone says {plain.last_line()!r}: it does not sleep')
    ended = shake(ctx, binary)
    (file, line, kind), = marks(build.package)
    found = ended.report['findings']
    if ended.code != 1 or len(found) != 1 or not is_at(found[0], file, line):
        raise Failure(f'exit code {ended.code}, not one finding at {file}:{line}: {brief(ended.err.decode())}')
    f = found[0]
    proof = f['proof']
    if (f['rule'], f['class'], f['level'], f['condition']) != ('GB014', 'capacity_dependent', 'proved', 'roomy'):
        raise Failure(f'{f["rule"]} {f["class"]} {f["level"]} under {f["condition"]}')
    if (kind == 'writer') != (proof['restored_runs'] > 0) or proof['condition'] != 'roomy' or proof['plain'] == proof['healed']:
        raise Failure(f'the proof is {proof}')
    if 'sleeps' not in ended.err.decode() or 'repeat   geist run' not in ended.err.decode():
        raise Failure(f'the text does not say that it sleeps: {brief(ended.err.decode())}')
    # The command that repeats it shows the wrong outcome, with nothing but that append's growth changed.
    words = shlex.split(f['repeat'])
    again = run([ctx.watch.geist, 'run', '--exitcode=0', *words[2:]], cwd=ctx.folder)
    if not again.last_line().startswith('WRONG'):
        raise Failure(f'{f["repeat"]} says {again.last_line()!r}')
    return f'{"with" if f["victim"]["address"] else "without"} a victim'


def check_awake(ctx, build):
    binary = ctx.builds.get(build)
    ended = shake(ctx, binary, '--conditions=tight64')
    proved = [f for f in ended.report['findings'] if f['level'] == 'proved']
    text = '\n'.join(p.read_text() for p in sorted((ROOT / 'lab' / build.package).glob('*.go')))
    lines = {n for n, line in enumerate(text.splitlines(), 1) if 'want: ghost-write' in line}
    if ended.code != 1 or not any(f['site']['line'] in lines for f in proved):
        raise Failure(f'exit code {ended.code}, proved {[(f["site"]["line"], f["rule"]) for f in proved]}, not one of {lines}')
    if any(f['condition'] for f in proved):
        raise Failure('it is awake, and is said to sleep')


def pooled():
    return [f'pools/{path.parent.name}' for path in sorted((ROOT / 'lab' / 'pools').glob('*/main.go'))]


def pooled_lines(name):
    for file in sorted((ROOT / 'lab' / name).glob('*.go')):
        for number, line in enumerate(file.read_text().splitlines(), 1):
            if '// pooled: put' in line:
                yield file.name, number


def check_pooled(ctx, build):
    binary = ctx.builds.get(build)
    plain = run([binary], cwd=ctx.folder)
    if not plain.last_line().startswith('WRONG'):
        raise Failure(f'the program alone says {plain.last_line()!r}')
    ended = shake(ctx, binary, '--conditions=pool')
    (file, line), = pooled_lines(build.package)
    found = [f for f in ended.report['findings'] if f['rule'] == 'GB015']
    if ended.code != 1 or not any(is_at(f, file, line) and f['level'] == 'proved' for f in found):
        raise Failure(f'exit code {ended.code}, nothing at {file}:{line}: {brief(ended.err.decode())}')
    for f in found:
        if f['fix'] or f['heal'] or f['condition'] or f['proof']['condition'] != 'pool' or f['proof']['plain'] == f['proof']['healed']:
            raise Failure(f'{f["fix"]!r} {f["heal"]!r} {f["condition"]!r} {f["proof"]}')
        # What that one Put gave is lost, and the program is right.
        words = shlex.split(f['repeat'])
        again = run([ctx.watch.geist, 'run', '--exitcode=0', *words[2:]], cwd=ctx.folder)
        if again.last_line() != 'OK':
            raise Failure(f'{f["repeat"]} says {again.last_line()!r}')
    return f'{len(found)} calls of Put'


def pool_without_pools(ctx):
    """Said, and the other conditions are tried all the same."""
    ended = shake(ctx, ctx.build('bare'), '--conditions=pool,tight64')
    if ended.code != 0 or not any('sync.Pool' in note for note in ended.report['notes']):
        raise Failure(f'exit code {ended.code}: {ended.report["notes"]}')


def check_honest(ctx, build):
    binary = ctx.builds.get(build)
    pools = build.package.startswith('ok_pool')
    ended = shake(ctx, binary, *(['--conditions=roomy,tight64,pool'] if pools else []))
    report = ended.report
    if ended.code != 0 or report['findings'] or report['other_changes']:
        raise Failure(f'exit code {ended.code}: {[(f["rule"], f["site"]["line"]) for f in report["findings"]]}, '
                      f'{[(c["kind"], c["proof"]["what"]) for c in report["other_changes"]]}')


def check_alarm(kind, *flags):
    """Nothing is found; what changed is listed, with its reason."""
    def check(ctx):
        (ctx.folder / 'runs').unlink(missing_ok=True)
        ended = shake(ctx, ctx.build('alarms'), *flags, arguments=[kind, ctx.folder / 'runs'])
        kinds = {c['kind'] for c in ended.report['other_changes']}
        if ended.code != 0 or ended.report['findings'] or kinds != {kind}:
            raise Failure(f'exit code {ended.code}, {len(ended.report["findings"])} findings, {kinds}: {brief(ended.err.decode())}')
        if 'geist: no finding: ' not in ended.err.decode():
            raise Failure(f'the text does not list it: {brief(ended.err.decode())}')
    return check


def must_say(arguments, text, code, *flags):
    def check(ctx):
        ended = run([ctx.watch.geist, 'shake', '--timeout=3', *flags, '--', ctx.build('alarms'), *arguments], cwd=ctx.folder)
        if ended.code != code or text not in ended.err.decode():
            raise Failure(f'exit code {ended.code}, not {text!r}: {brief(ended.err.decode())}')
    return check


def few_runs(ctx):
    """Two halvings to one append each: not more runs than that takes, beside those that compare."""
    counter = ctx.folder / 'runs'
    counter.unlink(missing_ok=True)
    ended = shake(ctx, ctx.build('alarms'), '--runs=1', '--conditions=roomy', arguments=['sleeps', counter])
    if len(ended.report['findings']) != 1 or not ended.report['findings'][0]['proof']['restored_runs']:
        raise Failure(f'not one finding: {brief(ended.err.decode())}')
    sites = ended.report['sites']['growslice_calls']
    compared = 2 + 2 + 2 + 1  # plain, watched, asked again, asked whether there is more
    runs, most = counter.stat().st_size, 2 * sites.bit_length() + 6 + compared
    if not 10 < runs <= most:
        raise Failure(f'{runs} runs for {sites} sites, at most {most}')
    return f'{runs} runs, {sites} sites'


case = registry.group('shake')
case.add('few-runs', few_runs)
for alarm in 'asks_for_capacity', 'counts_allocations', 'varies':
    case.add(alarm, check_alarm(alarm))
case.add('counts_reuse', check_alarm('counts_reuse', '--conditions=pool'))
case.add('pool-without-pools', pool_without_pools)
case.add('hangs', must_say(['hangs'], 'did not end in time', 3))
case.add('hangs-with-room', must_say(['hangs_with_room'], 'under roomy the program did not end in time', 0))
case.add('fails', must_say(['fails'], 'by itself the program ends with exit status 7', 0))


@registry.family
def of_lab(options, default):
    releases = options.releases or (RELEASES if options.all else [OLDEST, '1.24.13', default, RELEASES[-1]])
    for name in sleeping():
        for release in dict.fromkeys(releases):
            build = Build('lab', name, release)
            yield registry.Case(f'shake/{name}/go{release}', lambda ctx, b=build: check_sleeping(ctx, b), build)
        build = Build('lab', name, default, STRIPPED)
        yield registry.Case(f'shake/{name}/go{default}/stripped', lambda ctx, b=build: check_sleeping(ctx, b), build)
    for name in pooled():
        for release in dict.fromkeys(releases):
            build = Build('lab', name, release)
            yield registry.Case(f'shake/{name}/go{release}', lambda ctx, b=build: check_pooled(ctx, b), build)
        for shape, flags in (('stripped', STRIPPED), ('pie', ('-buildmode=pie',))):
            build = Build('lab', name, default, flags)
            yield registry.Case(f'shake/{name}/go{default}/{shape}', lambda ctx, b=build: check_pooled(ctx, b), build)
    for name in AWAKE:
        build = Build('lab', name, default)
        yield registry.Case(f'shake/{name}/go{default}', lambda ctx, b=build: check_awake(ctx, b), build)
    honest = [('lab', name) for name in programs() if name.startswith('ok_') and (options.all or name.startswith('ok_pool') or zlib.crc32(name.encode()) % 8 == 0)]
    honest += [('tests/go/honest', path.parent.name) for path in sorted((ROOT / 'tests/go/honest').glob('*/main.go')) if options.all]
    for module, name in honest:
        build = Build(module, name, default)
        yield registry.Case(f'shake/{name}/go{default}', lambda ctx, b=build: check_honest(ctx, b), build)
