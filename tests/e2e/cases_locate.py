"""geist locate names the harmful append of a server under load first, and leaves the server as it was."""
import json
import socket
import subprocess
import time
import urllib.request

import registry
from watched import Failure

case = registry.group('locate')


class Server:
    """tests/go/orders_server, which asks itself all the time."""

    def __init__(self, ctx, flags=()):
        self.path = ctx.build('orders_server', flags=tuple(flags))
        with socket.socket() as free:
            free.bind(('127.0.0.1', 0))
            self.address = f'127.0.0.1:{free.getsockname()[1]}'
        self.process = subprocess.Popen([self.path, self.address], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    def __enter__(self):
        for _ in range(200):
            if self.answers():
                return self
            time.sleep(0.05)
        raise Failure('the server does not answer')

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()

    def answers(self):
        try:
            return urllib.request.urlopen(f'http://{self.address}/orders', timeout=5).status == 200
        except OSError:
            return False

    def code(self):
        """The bytes of the mapped program text, as they are now."""
        with open(f'/proc/{self.process.pid}/maps') as maps:
            line = next(line for line in maps if ' r-xp ' in line and str(self.path) in line)
        begin, end = (int(word, 16) for word in line.split()[0].split('-'))
        with open(f'/proc/{self.process.pid}/mem', 'rb') as memory:
            memory.seek(begin)
            return memory.read(end - begin)


def locate(ctx, *words, exit_code=1):
    out = ctx.folder / 'located.json'
    argv = [str(ctx.options.geist), 'locate', f'--json={out}', *map(str, words)]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=120, cwd=ctx.folder)
    if done.returncode != exit_code:
        raise Failure(f'geist locate {words}: exit {done.returncode}, expected {exit_code}: {done.stderr[-600:]}')
    return json.loads(out.read_text()), done


def check_first(located, allocates):
    first = located['appends'][0]
    if (first['function'], first['level']) not in (('main.process', 'likely'), ('main.process', 'confirmed')):
        raise Failure(f'the first row is {first}')
    if first['overwrites'] == 0 or first['in_place'] == 0:
        raise Failure(f'nothing was counted: {first}')
    if not first['shared_by'] or not first['changed'] or not first['reason'].startswith('len '):
        raise Failure(f'who shares the array is not said: {first}')
    if allocates and not any(row['allocated_bytes'] for row in located['appends']):
        raise Failure(f'no line allocates: {located["appends"]}')
    for row in located['appends']:
        if not row['function'].startswith('main.') and row['level'] is None:
            raise Failure(f'no append of the main module, and no finding: {row}')
    return f'{first["overwrites"]} overwrites at {first["function"]}'


@case
def server_by_its_address(ctx):
    with Server(ctx) as server:
        before = server.code()
        for _ in ctx.attempts():
            located, done = locate(ctx, '--for=3s', f'http://{server.address}')
            if located['appends'] and located['appends'][0]['function'] == 'main.process':
                break
        note = check_first(located, allocates=True)
        if 'main.process  ' not in done.stdout:
            raise Failure(f'the table is {done.stdout!r}')
        if server.code() != before or not server.answers():
            raise Failure('the server is not what it was')
        return note


@case
def process_stripped(ctx):
    with Server(ctx, ('-ldflags=-s -w',)) as server:
        located, _ = locate(ctx, '--for=3s', server.process.pid)
        return check_first(located, allocates=False)


@case
def program(ctx):
    """A program runs to its end, with its own output; the table goes to stderr."""
    path = ctx.build('bug_strings', module='lab')
    plain = subprocess.run([path], capture_output=True, text=True)
    located, done = locate(ctx, path, exit_code=66)
    if done.stdout != plain.stdout:
        raise Failure(f'stdout is {done.stdout!r}, plain {plain.stdout!r}')
    if located['appends'][0]['function'] != 'main.register' or 'main.register  ' not in done.stderr:
        raise Failure(f'{located["appends"]} {done.stderr}')


@case
def bad_input(ctx):
    """One sentence each, and exit 3; as a shell for a program that is not there; 2 for a command line that is none."""
    page = ctx.folder / 'page'
    with socket.socket() as free:
        free.bind(('127.0.0.1', 0))
        nobody = f'http://127.0.0.1:{free.getsockname()[1]}/'
    with Server(ctx) as server:
        for words, code, text in (([nobody], 3, nobody[:-1]), ([f'http://{server.address}/orders'], 3, '/orders'),
                                  (['no_such_process_anywhere'], 3, 'no_such_process_anywhere'), (['./no/such'], 127, './no/such'),
                                  (['--for=soon', '1'], 2, '--for'), (['1', 'more'], 2, 'more'),
                                  (['--for=1s', './prog'], 2, '--for')):
            done = subprocess.run([str(ctx.options.geist), 'locate', f'--json={page}', *words], capture_output=True, text=True, timeout=60,
                                  cwd=ctx.folder)
            if done.returncode != code or text not in done.stderr or done.stdout:
                raise Failure(f'locate {words}: exit {done.returncode}, {done.stdout!r} {done.stderr!r}')
        if page.exists():
            raise Failure('a table was written of nothing')
        began = time.monotonic()
        done = subprocess.run([str(ctx.options.geist), 'locate', '--json=/nowhere/table', '--for=60s', str(server.process.pid)],
                              capture_output=True, text=True, timeout=60)
        if done.returncode != 3 or 'geist: /nowhere/table: No such file or directory' not in done.stderr or time.monotonic() - began > 20:
            raise Failure(f'a file that cannot be written: exit {done.returncode}, {done.stderr!r}')
