"""geist snap finds in a heap what the program says it has put there, and the process does not notice."""
import json
import os
import re
import resource
import signal
import subprocess
import time
from pathlib import Path

import registry
from go_builds import RELEASES, STRIPPED, Build, Skip
from watched import Failure

case = registry.group('snap')


class Program:
    """A running tests/go/heap_truth, and what it said about its heap."""

    def __init__(self, ctx, release, flags=(), **more):
        path = ctx.builds.get(Build('tests/go', 'heap_truth', release, flags=tuple(flags)))
        self.geist = ctx.options.geist
        self.folder = ctx.folder
        self.names_captures = int(release.split('.')[1]) >= 23
        self.truth = {}
        self.process = subprocess.Popen([path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, **more)
        for line in self.process.stdout:
            if line.startswith('ready'):
                break
            _, *key, value = line.split()
            self.truth[' '.join(key)] = int(value)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()

    def ask(self, *question, target=None):
        argv = [self.geist, 'snap', str(target or self.process.pid), *question, '--json']
        done = subprocess.run([str(a) for a in argv], capture_output=True, text=True, timeout=120)
        if done.returncode != 0:
            raise Failure(f'geist snap {question}: exit {done.returncode}: {done.stderr}')
        answer = json.loads(done.stdout)
        return answer[[key for key in answer if key != 'schema'][0]]

    def end(self):
        """The program goes on to its end as if nothing had been; its exit code."""
        self.process.stdin.write('\n')
        self.process.stdin.flush()
        return self.process.wait(timeout=30)


def expect(what, found, wanted):
    if found != wanted:
        raise Failure(f'{what}: found {found!r}, expected {wanted!r}')


def near(what, found, wanted, share=0.01):
    if abs(found - wanted) > share * wanted:
        raise Failure(f'{what}: found {found}, expected {wanted} within {share:.0%}')


def one(rows, what, **fields):
    match = [row for row in rows if all(row[key] == value for key, value in fields.items())]
    if len(match) != 1:
        raise Failure(f'{what}: {len(match)} rows with {fields}, expected one; rows: {rows[:20]}')
    return match[0]


def children_of(pid):
    return Path(f'/proc/{pid}/task/{pid}/children').read_text().split()


def check_types(program):
    types = {row['type']: row for row in program.ask('types')}
    for key, count in program.truth.items():
        if key.startswith('count '):
            name = key.removeprefix('count ')
            if name not in types:
                raise Failure(f'no objects of type {name}; there are {sorted(types)}')
            # Before 1.23 nothing in a binary says what a closure has captured; such objects count as "?".
            captured = 0 if program.names_captures else program.truth.get(f'captured {name}', 0)
            expect(f'objects of {name}', types[name]['objects'], count - captured)
            if name == 'main.Leaf':
                expect('bytes of main.Leaf', types[name]['bytes'], (count - captured) * 48)
    summary = program.ask()
    near('allocated bytes', summary['allocated']['bytes'], program.truth['heap_alloc'])
    near('allocated objects', summary['allocated']['objects'], program.truth['heap_objects'])
    near('live bytes', summary['live']['bytes'], program.truth['heap_alloc'])
    near('live objects', summary['live']['objects'], program.truth['heap_objects'])
    check_counters(summary)
    if summary['typed_bytes'] < 0.95 * summary['live']['bytes']:
        raise Failure(f'only {summary["typed_bytes"]} of {summary["live"]["bytes"]} bytes are typed')
    for name, count in summary['lost'].items():
        expect(f'lost.{name}', count, 0)


def check_counters(summary):
    """What the spans hold is what the runtime has counted, apart from the object a stopped thread was just making."""
    for key in ('objects', 'bytes'):
        near(f'allocated {key}, of those that the runtime has counted', summary['allocated'][key], summary['runtime'][key], 0.0001)


def check_sharing(program):
    rows = program.ask('sharing')
    shared = [row for row in rows if any(view['path'].startswith('main.shared.') for view in row['views'])]
    expect('arrays shared by main.shared', len(shared), 1)
    views = sorted((view['begin'], view['len'], view['cap'], view['copies']) for view in shared[0]['views'])
    expect('views of it', views, [(0, 10, 10, 2), (2, 3, 3, 1)])
    expect('its level', shared[0]['level'], None)
    latent = [row for row in rows if row['level'] == 'latent' and row['type'] == '[]int64']
    expect('latent arrays', len(latent), 1)
    view = one(latent[0]['views'], 'latent views', latent=True)
    expect('its path', view['path'], 'main.latent.prefix')
    expect('what it would overwrite', (view['overwrites'], view['overwrites_of']), (2, 'main.latent.all'))


def check_pins(program):
    rows = program.ask('pins')
    pinned = one(rows, 'pins of main.pinned', path='main.pinned')
    expect('kind', (pinned['kind'], pinned['bytes'], pinned['covered']), ('part', 1 << 20, 40))
    sub = one(rows, 'pins of main.sub', path='main.sub')
    expect('kind', (sub['kind'], sub['bytes'], sub['covered']), ('substring', 1 << 19, 20))
    ring = one(rows, 'rings', kind='ring')
    expect('ring', (ring['path'], ring['stale_slots'], ring['held']), ('main.fifo.slots', 12, 12 * 4096))
    expect('pins of an empty buffer', [row for row in rows if row['path'] == 'main.emptied'], [])
    popped = one(program.ask('pins', '--min=1024'), 'popped slots', kind='popped')
    expect('popped', (popped['path'], popped['stale_slots'], popped['held']), ('main.popped.items', 48, 48 * 48))


def check_rings(program):
    rows = program.ask('rings')
    expect('length of main.events', one(rows, 'lists', length=12)['problem'], None)
    expect('length of main.circle', one(rows, 'rings', length=7)['type'], 'ring.Ring')
    broken = {re.sub(r' \(goroutine \d+\)', '', row['path']): row['problem'] for row in rows if row['problem']}
    expect('broken lists', sorted(broken), ['here in main.(*Chain).removeAll', 'main.broken'])
    if 'len says -1' not in broken['main.broken']:
        raise Failure(f'the problem is given as {broken["main.broken"]!r}')
    if 'next and prev are nil' not in broken['here in main.(*Chain).removeAll']:
        raise Failure(f'the problem of an element left behind is given as {broken}')


def check_paths(program):
    found = program.ask('path', 'main.Session', '--top=200')
    paths = {row['path'] for row in found}
    if 'main.sessions["user number 000007"]' not in paths:
        raise Failure(f'paths to sessions are {sorted(paths)[:3]} ...')
    leaf = program.ask('path', 'main.Leaf', '--top=50000')
    for wanted in ('main.chain.leaf', 'main.numbers[3]', 'main.many[4321]', 'main.huge[9999]', 'main.popped.items[5]'):
        if not any(row['path'] == wanted for row in leaf):
            raise Failure(f'no path {wanted} among {[row["path"] for row in leaf][:20]}')


def check_hidden(program):
    """What the standard library keeps behind unsafe.Pointer, and behind data that has no name."""
    pooled = program.ask('path', 'main.Pooled', '--top=100')
    for row in pooled:
        if not row['path'].startswith('main.pools[0].local'):
            raise Failure(f'an object of a pool is at {row["path"]}')
    kept = program.ask('path', 'main.Kept', '--top=1000')
    for row in kept:
        if not row['path'].startswith('main.synced.') or '?' in row['path']:
            raise Failure(f'an object of a sync.Map is at {row["path"]}')


def check_goroutines(program):
    rows = program.ask('goroutines')
    held = [row for row in rows if row['function'] == 'main.hold']
    expect('goroutines in main.hold', sum(row['count'] for row in held), program.truth['goroutines main.hold'])


def check_export(program):
    exported = {}
    for form in ('pprof', 'json', 'html', 'dot'):
        argv = [str(program.geist), 'snap', str(program.process.pid), 'export', '--as', form]
        exported[form] = subprocess.run(argv, capture_output=True, timeout=120, check=True).stdout
    nodes = json.loads(exported['json'])['nodes']
    near('bytes of all nodes', sum(node['bytes'] for node in nodes), nodes[0]['retained'], 0)
    page = exported['html'].decode()
    if 'main.Session' not in page or 'http' in page.replace('http-equiv', ''):
        raise Failure('the page lacks types, or asks for something from a network')
    profile = program.folder / 'heap.pb'
    profile.write_bytes(exported['pprof'])
    shown = subprocess.run(['go', 'tool', 'pprof', '-top', '-sample_index=inuse_objects', str(profile)],
                           capture_output=True, text=True, timeout=120)
    if shown.returncode != 0 or 'main.Node' not in shown.stdout:
        raise Failure(f'go tool pprof does not read the export: {shown.stdout} {shown.stderr}')


def check_diff(program):
    difference = program.ask('diff', str(program.process.pid))
    grown = [row for row in difference['types'] if row['name'].startswith('main.')]
    expect('types that differ from themselves', grown, [])


def check_untouched(program):
    expect('children it has now', children_of(program.process.pid), [])
    expect('exit code', program.end(), 0)


CHECKS = [check_types, check_sharing, check_pins, check_rings, check_paths, check_hidden, check_goroutines, check_export, check_diff, check_untouched]


def truth_of(release):
    def check(ctx):
        with Program(ctx, release) as program:
            for part in CHECKS:
                part(program)
    return check


def stripped_of(release):
    def check(ctx):
        """Without symbols and DWARF: no names of variables, the same objects."""
        with Program(ctx, release, STRIPPED) as program:
            summary = program.ask()
            near('allocated bytes', summary['allocated']['bytes'], program.truth['heap_alloc'])
            near('allocated objects', summary['allocated']['objects'], program.truth['heap_objects'])
            check_untouched(program)
    return check


@registry.family
def of_releases(options, _):
    releases = RELEASES if options.all else [options.releases[0] if options.releases else RELEASES[0], RELEASES[-2]]
    for release in releases:
        yield registry.Case(f'snap/truth-{release}', truth_of(release))
        yield registry.Case(f'snap/stripped-{release}', stripped_of(release))


@case
def no_such_process(ctx):
    done = subprocess.run([str(ctx.options.geist), 'snap', '4194304'], capture_output=True, text=True)
    expect('exit code', done.returncode, 3)
    if '4194304' not in done.stderr:
        raise Failure(f'stderr is {done.stderr!r}')


@case
def core_file(ctx):
    """A core that GOTRACEBACK=crash leaves answers like the process; a truncated one loses, and says so."""
    if Path('/proc/sys/kernel/core_pattern').read_text().strip() not in ('core', 'core.%p'):
        raise Skip('cores go elsewhere: /proc/sys/kernel/core_pattern')

    def allow_core():
        resource.setrlimit(resource.RLIMIT_CORE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))

    more = {'cwd': ctx.folder, 'preexec_fn': allow_core, 'stderr': subprocess.DEVNULL,
            'env': dict(os.environ, GOTRACEBACK='crash')}
    with Program(ctx, ctx.release, **more) as program:
        program.process.send_signal(signal.SIGQUIT)
        program.process.wait(timeout=60)
        core = next(iter(ctx.folder.glob('core*')), None)
        if core is None:
            raise Skip('this kernel leaves no core here')
        live = {row['type']: row['objects'] for row in program.ask('types', target=core)}
        for key, count in program.truth.items():
            if key.startswith('count '):
                expect(f'{key} in the core', live.get(key.removeprefix('count ')), count)
        summary = program.ask(target=core)
        near('allocated bytes', summary['allocated']['bytes'], program.truth['heap_alloc'])
        check_truncated(program, core)


def check_truncated(program, core):
    whole = core.read_bytes()
    for share in (0.001, 0.2, 0.5, 0.9, 0.999):
        part = core.with_name('part')
        part.write_bytes(whole[:int(len(whole) * share)])
        done = subprocess.run([str(program.geist), 'snap', str(part), 'types'], capture_output=True, text=True, timeout=120)
        if done.returncode not in (0, 3):
            raise Failure(f'{share:.1%} of a core: exit {done.returncode}: {done.stderr}')
        if done.returncode == 0 and 'truncated' not in done.stderr:
            raise Failure(f'{share:.1%} of a core: nothing says that it is truncated: {done.stderr}')


@case
def saved_image(ctx):
    """An image that was saved answers like the process at that moment, also from a PIE; a damaged one is refused."""
    for flags in ((), ('-buildmode=pie',)):
        with Program(ctx, ctx.release, flags) as program:
            image = ctx.folder / 'heap.image'
            asked = program.ask('types', f'--save={image}')
            expect('types in the image', program.ask('types', target=image), asked)
            for question in ('sharing', 'pins', 'rings', 'goroutines'):
                expect(f'{question} in the image', program.ask(question, target=image), program.ask(question))
            expect('what grew since', program.ask('diff', str(image), target=image)['types'], [])
            again = ctx.folder / 'again.image'
            program.ask('types', f'--save={again}', target=image)
            expect('types in the image of an image', program.ask('types', target=again), asked)
            check_damaged(program, image)
            check_untouched(program)


def check_damaged(program, image):
    whole = image.read_bytes()
    part = image.with_name('part')
    for share in (0.0001, 0.3, 0.99):
        part.write_bytes(whole[:int(len(whole) * share)])
        refuse(program, part)
    middle = len(whole) // 2
    part.write_bytes(whole[:middle] + bytes(64) + whole[middle + 64:])
    refuse(program, part)


def refuse(program, *words):
    done = subprocess.run([str(program.geist), 'snap', *map(str, words)], capture_output=True, text=True, timeout=120)
    if done.returncode != 3 or not done.stderr.startswith('geist: '):
        raise Failure(f'geist snap {words}: exit {done.returncode}: {done.stderr}')


@case
def a_heap_copied_in_parts(ctx):
    """A heap of some hundred megabytes is copied in several short pauses, which the answer does not show."""
    records = 750_000
    path = ctx.builds.get(Build('tests/go', 'heap_big', ctx.release))
    with subprocess.Popen([path, str(4 * records)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        while not process.stdout.readline().startswith('ready'):
            if process.poll() is not None:
                raise Failure(f'heap_big ended with {process.returncode}')
        image = ctx.folder / 'parts.image'
        argv = [str(ctx.options.geist), 'snap', '--json', f'--save={image}', str(process.pid), 'types']
        live = subprocess.run(argv, capture_output=True, text=True, timeout=120)
        saved = subprocess.run([*argv[:3], str(image), 'types'], capture_output=True, text=True, timeout=120)
        expect('children of the process', children_of(process.pid), [])
        process.stdin.write('\n')
        process.stdin.flush()
        expect('exit code of the process', process.wait(timeout=30), 0)
    expect('exit codes of geist', (live.returncode, saved.returncode), (0, 0))
    expect('types in the image', saved.stdout, live.stdout)
    rows = json.loads(live.stdout)['types']
    expect('records', one(rows, 'types', type='main.record')['objects'], records)
    expect('tags', one(rows, 'types', type='main.tag')['objects'], records)
    kernel = tuple(int(n) for n in re.match(r'(\d+)\.(\d+)', os.uname().release).groups())
    if kernel >= (6, 7) and ' times, ' not in live.stderr:
        raise Failure(f'copied in one pause: {live.stderr}')


@case
def a_process_that_dies_meanwhile(ctx):
    """Killed at any moment of being looked at: an answer or a sentence, and no copy of it stays behind."""
    for delay_ms in (0, 1, 2, 4, 8, 16, 32, 64):
        with Program(ctx, ctx.release) as program:
            argv = [str(program.geist), 'snap', str(program.process.pid), 'types']
            with subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as snap:
                time.sleep(delay_ms / 1000)
                program.process.kill()
                try:
                    said = snap.communicate(timeout=60)[1]
                except subprocess.TimeoutExpired:
                    snap.kill()
                    raise Failure(f'killed after {delay_ms} ms: geist waits for ever') from None
            if snap.returncode not in (0, 3):
                raise Failure(f'killed after {delay_ms} ms: exit {snap.returncode}: {said}')
            program.process.wait(timeout=10)


@case
def geist_is_killed_meanwhile(ctx):
    """Whatever moment geist is killed at, the process lives, with the mappings it had and no child. Copied whole, and in parts."""
    path = ctx.builds.get(Build('tests/go', 'heap_big', ctx.release))
    for objects, last_ms in ((100_000, 30), (3_000_000, 120)):
        with subprocess.Popen([path, str(objects)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
            while not process.stdout.readline().startswith('ready'):
                if process.poll() is not None:
                    raise Failure(f'heap_big ended with {process.returncode}')
            for i in range(20):
                argv = [str(ctx.options.geist), 'snap', str(process.pid), 'types']
                with subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as snap:
                    time.sleep(last_ms / 1000 * (i + 1) / 20)
                    snap.kill()
                time.sleep(0.02)
                if process.poll() is not None:
                    raise Failure(f'geist was killed, and the process ended with {process.returncode}')
            deadline = time.monotonic() + 10
            while children_of(process.pid) and time.monotonic() < deadline:
                time.sleep(0.01)
            expect('children of the process', children_of(process.pid), [])
            for line in Path(f'/proc/{process.pid}/smaps').read_text().splitlines():
                if line.startswith('VmFlags') and {'dc', 'uw', 'um'} & set(line.split()):
                    raise Failure(f'a mapping is not what it was: {line}')
            process.stdin.write('\n')
            process.stdin.flush()
            expect('exit code of the process', process.wait(timeout=30), 0)


@case
def no_room_for_the_image(ctx):
    """A file that cannot be written is known before the process is stopped."""
    with Program(ctx, ctx.release) as program:
        refuse(program, program.process.pid, f'--save={ctx.folder}/none/heap.image')
        check_untouched(program)


# The runtime moves a span's objects from the span to its counters in several steps (mcache.refill, mcache.releaseAll,
# sweepLocked.sweep), and a thread may stand between two of them, which nothing in memory tells. So a few pictures may differ, at most
# by what one span holds: 8 KiB of objects of 8 bytes.
BETWEEN_STEPS = 3
OBJECTS_OF_A_SPAN = 1024


def pictures_while_it_runs(ctx, path):
    """The summaries of pictures of one run of the program, until it ends."""
    with subprocess.Popen([path], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            while process.poll() is None:
                done = subprocess.run([str(ctx.options.geist), 'snap', str(process.pid), '--json'], capture_output=True, text=True)
                if done.returncode == 0:
                    yield json.loads(done.stdout)['summary']
        finally:
            process.kill()


@case
def counters_of_a_busy_heap(ctx):
    """In the middle of marking and sweeping, the heap is as large as the runtime itself counts at that moment."""
    path = ctx.builds.get(Build('tests/go', 'gc_stress', ctx.release))
    runs, asked, differ = 0, 0, []
    while asked < 20 and runs < 60:
        runs += 1
        for summary in pictures_while_it_runs(ctx, path):
            asked += 1
            try:
                check_counters(summary)
            except Failure as failure:
                differ.append(str(failure))
                if abs(summary['allocated']['objects'] - summary['runtime']['objects']) > OBJECTS_OF_A_SPAN:
                    raise
    if asked < 20:
        raise Failure(f'only {asked} pictures of {runs} runs')
    if len(differ) > BETWEEN_STEPS:
        raise Failure(f'{len(differ)} of {asked} pictures differ: {differ[0]}')
    return f'{asked} pictures of {runs} runs, {len(differ)} between two steps'


@case
def not_a_go_program(ctx):
    with subprocess.Popen(['sleep', '60']) as process:
        done = subprocess.run([str(ctx.options.geist), 'snap', str(process.pid)], capture_output=True, text=True)
        process.kill()
    expect('exit code', done.returncode, 3)
    if 'not' not in done.stderr:
        raise Failure(f'stderr is {done.stderr!r}')
