"""geist pprof prints what go tool pprof prints, of profiles of real programs, and faster; hostile input and servers are refused in a
sentence."""
import os
import re
import resource
import socket
import subprocess
import threading
import time
import urllib.request

import registry
from go_builds import Build
from watched import Failure

case = registry.group('pprof')

# A question: flags of both tools; the report is -top without another one.
QUESTIONS = [
    (), ('cum',), ('nodecount=5',), ('tree',), ('tree', 'focus=main', 'nodecount=10'), ('peek=main|Method1',), ('sample_index=0',),
    ('focus=main.recurse|Method5',), ('ignore=sort|Method7',), ('hide=runtime|Method3',), ('show=main|Method1',),
    ('show_from=main.work|Method2',),
]
TAGS = ['route', 'route=/api/v1', 'request=1kb:8kb', '1kb:', ':64', 'latency=100ms:1s', 'route2,route25', '256']
KINDS = ['heap', 'allocs', 'cpu', 'mutex', 'block', 'goroutine', 'threadcreate']


def run(argv, folder=None, timeout=600):
    return subprocess.run([str(word) for word in argv], capture_output=True, text=True, timeout=timeout, cwd=folder)


def rows(text):
    """From the sum on: what stands above differs between releases of pprof and says when the profile was made. None: nothing matched."""
    if text is None:
        return ['nothing matches']
    lines = text.splitlines()
    for number, line in enumerate(lines):
        if line.startswith(('Showing nodes accounting', 'Total: ')):
            return lines[number:]
    raise Failure(f'no report: {text[:300]!r}')


def ask_pprof(question, *sources):
    flags = ['-' + word for word in question]
    if not any(word.split('=')[0] in ('tree', 'peek', 'list') for word in question):
        flags.insert(0, '-top')
    done = run(['go', 'tool', 'pprof', *flags, *sources])
    if 'no matches found for regexp' in done.stderr:
        return None
    if done.returncode != 0:
        raise Failure(f'go tool pprof {flags}: {done.stderr[-400:]}')
    return done.stdout


def ask_geist(ctx, question, source):
    report, flags = [], []
    for word in question:
        name, _, value = word.partition('=')
        if name in ('tree', 'peek', 'list'):
            report = [name] + ([value] if value else [])
        else:
            flags.append('--' + word)
    done = run([ctx.options.geist, 'pprof', *flags, source, *report])
    if done.returncode == 3 and 'no function matches' in done.stderr:
        return None
    if done.returncode != 0:
        raise Failure(f'geist pprof {flags} {report}: exit {done.returncode}: {done.stderr[-400:]}')
    return done.stdout


def compare(ctx, question, source, *pprof_sources, cut=lambda line: line):
    wanted = [cut(line) for line in rows(ask_pprof(question, *(pprof_sources or [source])))]
    found = [cut(line) for line in rows(ask_geist(ctx, question, source))]
    if wanted != found:
        first = next((i for i, (a, b) in enumerate(zip(wanted, found)) if a != b), min(len(wanted), len(found)))
        raise Failure(f'{source.name if hasattr(source, "name") else source} {question}: row {first}:\n     pprof: {wanted[first:first + 1]}\n'
                      f'     geist: {found[first:first + 1]}')


def profiles(ctx):
    """A folder with a profile of each kind, of a program that ran now."""
    program = ctx.build('profiles')
    done = run([program, ctx.folder])
    if done.returncode != 0:
        raise Failure(f'profiles: {done.stderr}')
    return ctx.folder


def same_rows(kind):
    def check(ctx):
        source = profiles(ctx) / kind
        for question in QUESTIONS:
            compare(ctx, question, source)
        return f'{len(QUESTIONS)} questions'
    return check


for _kind in KINDS:
    case.add(f'rows-{_kind}', same_rows(_kind))


@case
def rows_with_labels(ctx):
    source = ctx.folder / 'labels'
    run([ctx.build('profiles'), '-labels', source])
    for question in QUESTIONS + [(f'tagfocus={tag}',) for tag in TAGS] + [('tagignore=route1',)]:
        compare(ctx, question, source)


@case
def differences(ctx):
    folder = profiles(ctx)
    for base in ('base', 'diff_base'):
        for question in ((), ('sample_index=alloc_space',), ('tree',), ('focus=makeBuffers',)):
            compare(ctx, question + (f'{base}={folder / "heap-before"}',), folder / 'heap')
    diff = run([ctx.options.geist, 'pprof', folder / 'heap', 'diff', folder / 'heap-before'])
    if rows(diff.stdout) != rows(ask_pprof((f'diff_base={folder / "heap-before"}',), folder / 'heap')):
        raise Failure('diff is not --diff_base')


@case
def source_lines(ctx):
    folder = profiles(ctx)
    for expression in ('main.buildRecords', 'growNames', 'main.sortWords'):
        compare(ctx, (f'list={expression}',), folder / 'allocs')


@case
def heap_text(ctx):
    """pprof takes the names from the program, geist from the comments. Without inlining they are the same; what is the runtime's has
    no comment, so only rows of the program and the sums are compared."""
    program = ctx.build('profiles', flags=('-gcflags=all=-l',))
    run([program, ctx.folder])
    for question in (('sample_index=inuse_space',), ('sample_index=alloc_objects',), ('sample_index=alloc_space', 'cum')):
        text = ctx.folder / 'heap.txt'
        wanted = rows(ask_pprof(question, program, text))
        found = rows(ask_geist(ctx, question, text))
        of_program = [[line for line in lines if ' runtime.' not in line and not line.startswith('Dropped')] for lines in (wanted, found)]
        if of_program[0] != of_program[1]:
            raise Failure(f'{question}: pprof {of_program[0]}, geist {of_program[1]}')
        if not any('main.makeBuffers' in line for line in found):
            raise Failure(f'no main.makeBuffers: {found}')


@case
def sites(ctx):
    """The appends and makes of the program by their lines, with the bytes that pprof has for those lines."""
    folder = profiles(ctx)
    by_line = {}
    for line in ask_pprof(('lines', 'sample_index=alloc_space', 'nodefraction=0', 'unit=bytes'), folder / 'allocs').splitlines():
        if row := re.match(r'\s*(\S+)\s+\S+%\s+\S+%\s+\S+\s+\S+%\s+(\S+) (\S+:\d+)', line):
            by_line[(row[2], row[3])] = int(row[1].rstrip('B'))
    text = run([ctx.options.geist, 'pprof', folder / 'allocs', 'sites']).stdout
    found = re.findall(r'^ *(\S+) +\S+ (append\+make|append|make) +(\S+) (\S+:\d+)\n +(.*)$', text, re.M)
    for function, kind, part in (('main.growNames', 'append', 'append(list,'), ('main.makeBuffers', 'append+make', 'append(held, make([]byte')):
        row = [f for f in found if f[1] == kind and f[2] == function and part in f[4]]
        if len(row) != 1:
            raise Failure(f'{function}: {len(row)} rows with {kind} and {part!r}:\n{text}')
        wanted = by_line[(function, row[0][3])]
        if row[0][0] != in_units(wanted):
            raise Failure(f'{function}: {row[0][0]}, pprof has {wanted} bytes ({in_units(wanted)})')


def in_units(value):
    for name, factor in (('GB', 1 << 30), ('MB', 1 << 20), ('kB', 1 << 10)):
        if value >= factor:
            return f'{value / factor:.2f}'.removesuffix('.00') + name
    return f'{value}B'


class Server:
    """profiles -serve, a real server with net/http/pprof."""

    def __init__(self, ctx):
        self.process = subprocess.Popen([ctx.build('profiles'), '-serve'], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.url = f'http://{self.process.stdout.readline().strip()}/debug/pprof/'
        time.sleep(0.5)  # something to see

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait(timeout=30)
        self.process.stdout.close()


@case
def from_a_server(ctx):
    with Server(ctx) as server:
        for what in ('heap', 'allocs', 'goroutine', 'block', 'mutex', 'profile?seconds=1', 'heap?debug=1'):
            done = run([ctx.options.geist, 'pprof', server.url + what])
            if done.returncode != 0 or 'Showing nodes accounting' not in done.stdout:
                raise Failure(f'{what}: exit {done.returncode}: {done.stderr}')
            if what in ('allocs', 'heap', 'heap?debug=1') and 'main.' not in done.stdout:
                raise Failure(f'{what}: no function of the program: {done.stdout}')
            file = ctx.folder / re.sub(r'\W', '_', what)
            file.write_bytes(urllib.request.urlopen(server.url + what, timeout=60).read())
            if 'debug=1' not in what:
                compare(ctx, (), file)
        missing = run([ctx.options.geist, 'pprof', server.url + 'nothing'])
        if missing.returncode != 3 or 'the server answers 404' not in missing.stderr:
            raise Failure(f'404: exit {missing.returncode}: {missing.stderr}')


@case
def a_server_that_says_nothing(ctx):
    with socket.create_server(('127.0.0.1', 0)) as listener:
        began = time.monotonic()
        done = run([ctx.options.geist, 'pprof', '--timeout=1', f'http://127.0.0.1:{listener.getsockname()[1]}/heap'], timeout=30)
        took = time.monotonic() - began
    if done.returncode != 3 or len(done.stderr.strip().splitlines()) != 1 or took > 20:
        raise Failure(f'exit {done.returncode} after {took:.1f} s: {done.stderr}')


@case
def a_server_without_end(ctx):
    """A gzip stream of zeros, for as long as anybody reads: the time limit ends it."""
    with socket.create_server(('127.0.0.1', 0)) as listener:
        def answer():
            connection, _ = listener.accept()
            with connection:
                try:
                    connection.sendall(b'HTTP/1.0 200 OK\r\n\r\n\x1f\x8b')
                    while True:
                        connection.sendall(bytes(1 << 16))
                        time.sleep(0.05)
                except OSError:
                    pass
        thread = threading.Thread(target=answer, daemon=True)
        thread.start()
        done = run([ctx.options.geist, 'pprof', '--timeout=2', f'http://127.0.0.1:{listener.getsockname()[1]}/heap'], timeout=60)
        thread.join(timeout=30)
    if done.returncode != 3:
        raise Failure(f'exit {done.returncode}: {done.stderr}')


@case
def a_bomb(ctx):
    """Some megabytes that unpack to more than there may be: refused, and not by the kernel."""
    import gzip
    bomb = ctx.folder / 'bomb'
    with gzip.open(bomb, 'wb', compresslevel=9) as out:
        zeros = bytes(1 << 24)
        for _ in range((4 << 30 >> 24) + 1):
            out.write(zeros)
    limit = 6 << 30
    done = subprocess.run([str(ctx.options.geist), 'pprof', str(bomb)], capture_output=True, text=True, timeout=300,
                          preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (limit, limit)))
    if done.returncode != 3 or len(done.stderr.strip().splitlines()) != 1:
        raise Failure(f'exit {done.returncode}: {done.stderr}')


def rows_of_a_large_one(ctx):
    source = ctx.folder / 'large'
    run([ctx.build('profiles'), '-large', source])
    if os.path.getsize(source) < 30e6:
        raise Failure(f'only {os.path.getsize(source)} bytes')
    compare(ctx, (), source)


registry.group('pprof', slow=True, alone=True).add('rows-of-a-large-one', rows_of_a_large_one)
