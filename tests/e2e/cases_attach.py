"""geist attach: it comes and goes under load, leaves no trace, refuses by name, and may be killed at any moment."""
import ctypes
import json
import os
import random
import shutil
import signal
import subprocess
import threading
import time
from pathlib import Path

import registry
from attached import Attached, Program, code_of, possessions, wait_until
from go_builds import Skip
from watched import Failure, brief, findings, must_have_counted, run

case = registry.group('attach')


def server(ctx, *args, **more):
    return Program([ctx.build('server', **more), '-clients', '2', *args])


def attach(ctx, pid, *flags, tag='run'):
    """One attachment, to its end."""
    flags = flags if any(f.startswith('--for') for f in flags) else ('--for=300ms', *flags)
    ended = run([ctx.watch.geist, 'attach', str(pid), f'--report=json:{ctx.folder}/{tag}.json', *flags])
    return ctx.watch.read(ended, tag) if ended.code in (0, 1) else ended


def must_attach(ctx, pid, *flags, tag='run'):
    ended = attach(ctx, pid, *flags, tag=tag)
    if ended.code not in (0, 1) or ended.report is None:
        raise Failure(f'exit code {ended.code}: {brief(ended.err.decode())}')
    return ended


def leaves_no_trace(release, **more):
    def check(ctx):
        with server(ctx, release=release or ctx.release, **more) as program:
            code = code_of(program.pid)
            with Attached(ctx.watch.geist, program.pid, ctx.folder) as geist:
                if code_of(program.pid) == code:
                    raise Failure('the code is the same while geist watches: nothing was patched')
                if geist.end() not in (0, 1):
                    raise Failure(geist.log.read_text())
            if code_of(program.pid) != code:
                raise Failure('the code differs behind the detach')
            report = json.loads((ctx.folder / 'run.json').read_text())
            if report['exit']['code'] is not None or report['sites']['probed'] < 100:
                raise Failure(f'exit {report["exit"]}, sites {report["sites"]}')
            program.must_end_well()
    return check


case.add('leaves-no-trace', leaves_no_trace(None))
case.add('leaves-no-trace-pie', leaves_no_trace(None, flags=('-buildmode=pie',)))
case.add('leaves-no-trace-cgo', leaves_no_trace(None, env=(('CGO_ENABLED', '1'),), flags=('-ldflags=-linkmode=external',)))
case.add('leaves-no-trace-stripped', leaves_no_trace('1.21.13', flags=('-ldflags=-s -w',)))
case.add('leaves-no-trace-newest', leaves_no_trace('1.27.3'))


@case
def counts_appends(ctx):
    """geist attach --signals counts all that the program does while it is attached; the next one begins anew."""
    with Program([ctx.build('counted'), '8', 'wait']) as program:
        must_attach(ctx, program.pid, '--signals', tag='before')
        with Attached(ctx.watch.geist, program.pid, ctx.folder, flags=('--signals',)) as geist:
            ended = program.end()
            geist.process.wait(timeout=60)
    must_have_counted(json.loads((ctx.folder / 'run.json').read_text()), ended.out)


@case
def cycles_under_load(ctx):
    """Comes and goes many times: no request fails, nothing grows."""
    rounds = 1000 if ctx.options.slow else 8
    p50, p99 = [], []
    with server(ctx) as program:
        code = code_of(program.pid)
        must_attach(ctx, program.pid, '--for=50ms')
        before = possessions(program.pid)
        for _ in range(rounds):
            cost = must_attach(ctx, program.pid, '--for=30ms', '--no-watch').report['cost']
            p50.append(cost['pause_p50_ms'])
            p99.append(cost['pause_p99_ms'])
        after = possessions(program.pid)
        if code_of(program.pid) != code:
            raise Failure('the code differs behind the last detach')
        program.must_end_well()
    for what, least in (('files', 8), ('threads', 8), ('mappings of geist', 0), ('resident', 40000)):
        if after[what] > before[what] + least:
            raise Failure(f'{what} grew: {before} before {rounds} rounds, {after} behind them')
    p50.sort(), p99.sort()
    return f'{rounds} rounds, pauses p50 {p50[len(p50) // 2]:.1f} ms, p99 {p99[int(len(p99) * 0.99)]:.1f} ms; {before} -> {after}'


@case
def finds_what_run_finds(ctx):
    with Program([ctx.build('server'), '-clients', '0']) as program:
        for _ in ctx.attempts(5):  # which of many overwrites are looked at is up to chance
            ended = must_attach(ctx, program.pid, '--for=3s', '--now', '--budget=50')
            if found := [f for f in findings(ended) if f['site']['function'] == 'main.makeRoutes']:
                break
        else:
            raise Failure(f'not found in {ctx.repeats + 1} attempts: {ended.report["events"]}, {ended.report["lost"]}')
        if ended.code != 1 or ended.err.count(b'GHOST WRITE') < 1:
            raise Failure(f'exit code {ended.code}, {brief(ended.err.decode())}')
        if len({f['site']['function'] for f in findings(ended)}) != 1:
            raise Failure(f'more than the one bug: {found}')
        program.must_end_well()


@case
def system_calls_are_not_interrupted(ctx):
    """futex, epoll_wait, nanosleep and read that were waiting go on waiting, while threads come and go."""
    with Program([ctx.build('blocked')]) as program:
        for _ in range(20 if ctx.options.slow else 5):
            must_attach(ctx, program.pid, '--for=60ms')
        program.must_end_well()


@case
def c_threads_call_go_meanwhile(ctx):
    with Program([ctx.build('callbacks', env=(('CGO_ENABLED', '1'),))]) as program:
        for _ in range(20 if ctx.options.slow else 5):
            must_attach(ctx, program.pid, '--for=60ms')
        program.must_end_well()


@case
def signals_come_meanwhile(ctx):
    """SIGURG, with which Go preempts, and SIGPROF, a thousand of each a second."""
    with server(ctx) as program:
        over = threading.Event()

        def storm():
            while not over.wait(0.001):
                os.kill(program.pid, signal.SIGURG)
                os.kill(program.pid, signal.SIGPROF)

        sender = threading.Thread(target=storm)
        sender.start()
        try:
            for _ in range(20 if ctx.options.slow else 5):
                must_attach(ctx, program.pid, '--for=60ms')
        finally:
            over.set()
            sender.join()
        program.must_end_well()


@case
def children_are_started_meanwhile(ctx):
    with Program([ctx.build('blocked'), 'children']) as program:
        for _ in range(20 if ctx.options.slow else 5):
            must_attach(ctx, program.pid, '--for=60ms')
        program.must_end_well()


@case
def main_thread_has_left(ctx):
    with Program([ctx.build('blocked'), 'leave']) as program:
        wait_until(lambda: Path(f'/proc/{program.pid}/task/{program.pid}/stat').read_text().split(') ')[1][0] == 'Z', 'main thread left')
        must_attach(ctx, program.pid)
        program.process.kill()


@case
def program_ends_meanwhile(ctx):
    with server(ctx, '-seconds', '5') as program:
        ended = must_attach(ctx, program.pid, '--for=60s')
        if 'its parent only' not in ended.err.decode() or ended.report['exit']['code'] is not None:
            raise Failure(brief(ended.err.decode()))
        program.must_end_well()


@case
def deleted_binary_by_its_name(ctx):
    copy = ctx.folder / 'a-server-of-its-own'
    shutil.copy(ctx.build('server'), copy)
    with Program([copy, '-clients', '1']) as program:
        copy.unlink()
        ended = must_attach(ctx, 'a-server-of-its-own')
        if ended.report['target']['binary'] != 'a-server-of-its-own':
            raise Failure(f'the report names {ended.report["target"]}')
        program.must_end_well()


# ---- refusals

def refused(ctx, process, *words, code=3):
    ended = attach(ctx, process)
    text = ended.err.decode()
    if ended.code != code or not all(word in text for word in words):
        raise Failure(f'exit code {ended.code}, {brief(text)}; expected {code} and {words}')


@case
def refuses_what_cannot_be(ctx):
    with subprocess.Popen(['true']) as dead:
        dead.wait()
    refused(ctx, dead.pid, f'no process {dead.pid}')
    refused(ctx, 'no-such-name', 'no process has the name "no-such-name"')
    refused(ctx, '0', 'no process 0')
    with subprocess.Popen(['sleep', '60']) as other:
        refused(ctx, other.pid, 'sleep', 'Go')
        other.kill()
    if Path('/proc/2/status').exists() and 'kthreadd' in Path('/proc/2/status').read_text():
        refused(ctx, 2, 'kernel thread')


@case
def refuses_what_is_looked_for_from_the_start(ctx):
    with server(ctx) as program:
        code = code_of(program.pid)
        for name in ('refill', 'stale', 'maps', 'lists'):
            ended = attach(ctx, program.pid, f'--detect={name}')
            text = ended.err.decode()
            if ended.code != 3 or f'--detect={name}: a process that runs already' not in text or f'geist run --detect=append,{name}' not in text:
                raise Failure(f'exit code {ended.code}, {brief(text)}')
        if code_of(program.pid) != code:
            raise Failure('it was refused, and the code is another')
        must_attach(ctx, program.pid, '--detect=append')
        program.must_end_well()


@case
def refuses_an_ambiguous_name(ctx):
    copy = ctx.folder / 'two-of-a-name'
    shutil.copy(ctx.build('server'), copy)
    with Program([copy, '-clients', '0']) as a, Program([copy, '-clients', '0']) as b:
        refused(ctx, 'two-of-a-name', '2 processes', str(a.pid), str(b.pid))


@case
def refuses_a_thread_by_its_process(ctx):
    with server(ctx) as program:
        thread = next(t for t in os.listdir(f'/proc/{program.pid}/task') if int(t) != program.pid)
        refused(ctx, thread, f'thread of process {program.pid}')


@case
def refuses_a_second_geist(ctx):
    with server(ctx) as program, Attached(ctx.watch.geist, program.pid, ctx.folder, 'first') as first:
        refused(ctx, program.pid, 'another geist', str(first.process.pid))
        first.end()
        must_attach(ctx, program.pid)
        program.must_end_well()


@case
def refuses_a_traced_process(ctx):
    """Another tracer is named; a process can have one only."""
    with server(ctx) as program:
        seized, go_on = threading.Event(), threading.Event()
        problem = []

        def trace():  # the tracer is the thread that seizes, and its end lets go
            libc = ctypes.CDLL(None, use_errno=True)
            if libc.ptrace(0x4206, program.pid, None, None) != 0:  # PTRACE_SEIZE
                problem.append(os.strerror(ctypes.get_errno()))
            seized.set()
            go_on.wait()

        tracer = threading.Thread(target=trace)
        tracer.start()
        seized.wait()
        try:
            if not problem:
                refused(ctx, program.pid, 'is traced by python', 'one tracer only')
        finally:
            go_on.set()
            tracer.join()
        if problem:
            raise Skip(f'no ptrace here: {problem[0]}')
        program.must_end_well()


@case
def refuses_without_permission(ctx):
    """Another user's process: the words say which capability helps."""
    if os.geteuid() != 0:
        raise Skip('only root can become somebody else')
    shared = Path('/tmp') / f'geist-test-{os.getpid()}'
    shutil.copy(ctx.watch.geist, shared)
    shared.chmod(0o755)
    try:
        with server(ctx) as program:
            ended = run([shared, 'attach', str(program.pid)], user=65534, group=65534, extra_groups=[])
            if ended.code != 3 or b'CAP_SYS_PTRACE' not in ended.err:
                raise Failure(f'exit code {ended.code}: {ended.err[:300]!r}')
            program.must_end_well()
    finally:
        shared.unlink()


# ---- another build of geist

def head_of_geist(pid):
    """Where the code of a geist begins in the process: an anonymous mapping with its magic (src/abi/version.h)."""
    with open(f'/proc/{pid}/mem', 'rb', 0) as memory:
        for line in Path(f'/proc/{pid}/maps').read_text().splitlines():
            if len(line.split()) > 5 or line.split()[1] != 'r-xp':
                continue
            begin = int(line.split('-')[0], 16)
            memory.seek(begin)
            if memory.read(8) == b'gistblob':
                return begin
    raise Failure('no code of geist in the process')


def write_memory(pid, address, data):
    with open(f'/proc/{pid}/mem', 'r+b', 0) as memory:
        memory.seek(address)
        memory.write(data)


@case
def another_build_is_refused(ctx):
    """The patches of a geist of another ABI version or build are refused by name, and left as they are."""
    with server(ctx) as program:
        code = code_of(program.pid)
        geist = subprocess.Popen([ctx.watch.geist, 'attach', str(program.pid), '--quiet'], stderr=subprocess.DEVNULL)
        wait_until(lambda: code_of(program.pid) != code, 'geist has patched the program')
        time.sleep(0.2)
        geist.kill()
        geist.wait()
        patched, head = code_of(program.pid), head_of_geist(program.pid)
        for at, forged, name in [(8, b'\x05\0\0\0', b'ABI version 5'), (16, bytes(range(8)), b'build 0706050403020100')]:
            with open(f'/proc/{program.pid}/mem', 'rb', 0) as memory:
                memory.seek(head + at)
                true = memory.read(len(forged))
            write_memory(program.pid, head + at, forged)
            ended = attach(ctx, program.pid)
            if ended.code != 3 or b'another build of geist' not in ended.err or name not in ended.err or b'start the program anew' not in ended.err:
                raise Failure(f'exit code {ended.code}: {ended.err[:500]!r}')
            if code_of(program.pid) != patched:
                raise Failure('the code of the other geist was changed')
            write_memory(program.pid, head + at, true)
        must_attach(ctx, program.pid)
        # Without patches its memory is in nobody's way.
        write_memory(program.pid, head_of_geist(program.pid) + 8, b'\x05\0\0\0')
        must_attach(ctx, program.pid)
        if code_of(program.pid) != code:
            raise Failure('the code differs after the last detach')
        program.must_end_well()


# ---- geist sleeps

@case
def geist_is_stopped(ctx):
    """A geist that stands still for seconds (Ctrl-Z) is not waited for; the report says that watching ended early."""
    with server(ctx) as program:
        report = ctx.folder / 'run.json'
        geist = subprocess.Popen([ctx.watch.geist, 'attach', str(program.pid), '--for=5s', f'--report=json:{report}'],
                                 stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        time.sleep(1)
        geist.send_signal(signal.SIGSTOP)
        time.sleep(3.5)
        geist.send_signal(signal.SIGCONT)
        err = geist.communicate(timeout=60)[1].decode()
        if geist.returncode not in (0, 1):
            raise Failure(f'exit code {geist.returncode}: {brief(err)}')
        told = json.loads(report.read_text())
        if told['lost']['disarmed'] != 1 or told['lost_severity'].get('disarmed') != 'error':
            raise Failure(f'lost {told["lost"]}, {told["lost_severity"]}')
        if 'wrong: 1 disarmed' not in err or not any('no sign of life' in note for note in told['notes']):
            raise Failure(f'not told: {brief(err)}, {told["notes"]}')
        program.must_end_well()


# ---- geist dies

@case
def geist_is_killed(ctx):
    """SIGKILL at random moments of attaching, watching and detaching; the program never notices, and the next geist copes."""
    rounds = 1000 if ctx.options.slow else 10
    dice = random.Random(ctx.options.seed)
    with server(ctx) as program:
        code = code_of(program.pid)
        start = time.monotonic()
        must_attach(ctx, program.pid, '--for=100ms')
        whole = time.monotonic() - start
        for _ in range(rounds):
            geist = subprocess.Popen([ctx.watch.geist, 'attach', str(program.pid), '--for=100ms', '--quiet'],
                                     stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            time.sleep(dice.random() * whole)
            geist.kill()
            geist.wait()
            if program.process.poll() is not None:
                raise Failure(f'the program died: {program.end().err[:800]!r}')
        must_attach(ctx, program.pid)
        if code_of(program.pid) != code:
            raise Failure('the code differs behind the last detach')
        program.must_end_well()
    return f'{rounds} kills within {whole:.2f} s'
