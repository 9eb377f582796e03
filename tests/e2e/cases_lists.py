"""Lists that are used wrongly: who does it, and who had removed the element; nothing is said of those that are used as they should be.

tests/go/lists has ten ways to be wrong and five that are not; each line of it that takes part says so in a comment.
"""
import registry
from go_builds import RELEASES, ROOT, STRIPPED
from watched import FINDINGS_EXIT, Failure, findings, run, same_run

# The rule, the level, and the role of each side.
BUGS = {
    'sweep': ('GB020', 'confirmed', ('takes Next of', 'had removed')),
    'backwards': ('GB020', 'confirmed', ('takes Prev of', 'had removed')),
    'hook': ('GB020', 'confirmed', ('takes Next of', 'had removed')),
    'timers': ('GB020', 'confirmed', ('takes Next of', 'had removed')),
    'typed': ('GB020', 'confirmed', ('takes Next of', 'had removed')),
    'last': ('GB020', 'likely', ('takes Next of', 'had removed')),
    'copied': ('GB021', 'confirmed', ('calls MoveToFront with a copy of an element',)),
    'cleared': ('GB021', 'confirmed', ('calls Remove with an element',)),
    'queues': ('GB022', 'likely', ('calls Remove with an element',)),
    'pins': ('GB022', 'likely', ('calls MoveToFront with an element',)),
}
RIGHT = ('keepnext', 'lru', 'drain', 'requeue', 'splice')
SHOWN = ['1.21.13', '1.24.13', '1.26.8', '1.27.3']


def line_of(mode, role):
    source = (ROOT / 'tests' / 'go' / 'lists' / 'main.go').read_text().splitlines()
    found = [number for number, line in enumerate(source, 1) if line.endswith(f'// {mode}: {role}')]
    if len(found) != 1:
        raise Failure(f'{mode}: {role} is in lines {found} of the program')
    return found[0]


def told(mode, release=None, flags=(), detect='lists'):
    def check(ctx):
        binary = ctx.build('lists', release=release, flags=flags)
        rule, level, roles = BUGS[mode]
        plain = run([binary, mode])
        watched = ctx.watch.run([binary, mode], flags=(f'--detect={detect}',))
        same_run(plain, watched, code=FINDINGS_EXIT)
        found = findings(watched)
        if [(f['rule'], f['level']) for f in found] != [(rule, level)]:
            raise Failure(f'expected {rule} {level}, found {[(f["rule"], f["level"]) for f in found]}; notes {watched.report["notes"]}')
        sides = [(s['role'], s['frames'][0]['line']) for s in found[0]['stacks']]
        wanted = [(role, line_of(mode, role)) for role in roles]
        if sides != wanted:
            raise Failure(f'expected {wanted}, found {sides}')
        if not found[0]['victim']['type'].endswith('.List') and mode != 'typed':
            raise Failure(f'the list is {found[0]["victim"]}')
    return check


def silent(mode, release=None, flags=()):
    def check(ctx):
        binary = ctx.build('lists', release=release, flags=flags)
        plain = run([binary, mode])
        watched = ctx.watch.run([binary, mode], flags=('--detect=lists', '--level=suspect'))
        same_run(plain, watched)
        if watched.report['findings']:
            raise Failure(f'{[f["words"]["sentence"] for f in watched.report["findings"]]}')
        if any('lists are not looked at' in note for note in watched.report['notes']):
            raise Failure(f'{watched.report["notes"]}')
    return check


@registry.family
def of_lists(options, default):
    releases = RELEASES if options.all else [r for r in SHOWN if r in (SHOWN[0], default, SHOWN[-1])]
    for release in releases:
        for mode in BUGS:
            yield registry.Case(f'lists/{mode}/go{release}', told(mode, release))
        for mode in RIGHT:
            yield registry.Case(f'lists/{mode}/go{release}', silent(mode, release))
    yield registry.Case('lists/stripped', told('timers', default, STRIPPED))
    yield registry.Case('lists/pie', told('hook', default, ('-buildmode=pie',)))
    yield registry.Case('lists/with-appends', told('backwards', default, detect='append,lists'))


case = registry.group('lists')


@case
def another_shape_is_said(ctx):
    """Where nothing is inlined, remove is a call, and who removes what is not known: a note says so."""
    watched = ctx.watch.run([ctx.build('lists', flags=('-gcflags=all=-l',)), 'sweep'], flags=('--detect=lists',))
    if findings(watched) or not any(n == 'lists are not looked at in container/list.(*List).Remove: its code has another shape'
                                    for n in watched.report['notes']):
        raise Failure(f'{watched.report["findings"]}, {watched.report["notes"]}')


@case
def not_unasked(ctx):
    """Without --detect=lists nobody looks."""
    watched = ctx.watch.run([ctx.build('lists'), 'sweep'])
    if watched.report['findings']:
        raise Failure('lists were looked at')
