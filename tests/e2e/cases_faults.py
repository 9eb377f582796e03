"""What goes wrong around geist or in the program: the program's result is its own, or geist says in one sentence why not."""
import os
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import registry
from attached import Program
from cases_attach import must_attach, refused, server
from go_builds import Skip
from watched import Failure, brief, run, same_run

CONFINED = Path(__file__).with_name('confined.py')
case = registry.group('faults')


def same_result(program, *args, env=None, limits=None):
    """The program's output, errors and exit code are what they are without geist."""
    def check(ctx):
        argv = [ctx.build(program), *args]
        settings = dict(os.environ, **(env or {}))

        def prepare():
            for name, value in (limits or {}).items():
                resource.setrlimit(getattr(resource, 'RLIMIT_' + name), (value, value))

        same_run(run(argv, env=settings, preexec_fn=prepare), ctx.watch.run(argv, env=settings, preexec_fn=prepare))
    return check


case.add('gc-all-the-time', same_result('append_kinds', env={'GOGC': '1'}))
case.add('one-processor', same_result('append_kinds', env={'GOMAXPROCS': '1'}))
case.add('sixty-four-processors', same_result('storm', '300', env={'GOMAXPROCS': '64'}))
case.add('no-locked-memory', same_result('append_kinds', limits={'MEMLOCK': 0}))
case.add('small-stacks', same_result('append_kinds', limits={'STACK': 256 << 10}))
case.add('signal-storms', same_result('storm', '300', 'signals'))


@case
def many_goroutines(ctx):
    same_result('storm', '10000' if ctx.options.slow else '2000')(ctx)


@case
def ring_is_scribbled_over(ctx):
    argv = [ctx.build('vandal')]
    plain = run(argv)
    for _ in range(20 if ctx.options.slow else 2):
        watched = ctx.watch.run(argv)
        same_run(plain, watched, code=watched.code)
        if watched.code not in (plain.code, 66) or watched.report is None:
            raise Failure(f'exit code {watched.code}; geist says {brief(watched.log)}')


@case
def program_is_killed(ctx):
    """By SIGKILL, while it runs: geist ends as a shell would, with a report."""
    geist = subprocess.Popen(ctx.watch.argv([ctx.build('steady'), '100000']), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    geist.stdout.readline()  # "started"
    children = Path(f'/proc/{geist.pid}/task/{geist.pid}/children').read_text().split()
    for child in children:
        os.kill(int(child), signal.SIGKILL)
    geist.communicate(timeout=60)
    report = ctx.watch.read(run(['true'])).report
    if geist.returncode != -signal.SIGKILL or report['exit']['signal'] != 'SIGKILL':
        raise Failure(f'geist ended with {geist.returncode}, the report says {report["exit"]}')


@case
def program_is_killed_while_attached(ctx):
    with server(ctx) as program:
        geist = subprocess.Popen([ctx.watch.geist, 'attach', str(program.pid), f'--report=json:{ctx.folder}/run.json'],
                                 stderr=subprocess.PIPE)
        geist.stderr.readline()  # "watching"
        program.process.kill()
        _, err = geist.communicate(timeout=60)
        if geist.returncode not in (0, 1) or b'its parent only' not in err:
            raise Failure(f'geist ended with {geist.returncode}: {err[-300:]!r}')


@case
def program_runs_out_of_memory(ctx):
    """Its own crash, as it is without geist; what geist maps is counted against the limit, too."""
    argv = [ctx.build('hungry')]

    def prepare():
        resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))

    plain, watched = run(argv, preexec_fn=prepare), ctx.watch.run(argv, preexec_fn=prepare)
    for ended in (plain, watched):
        if ended.code != 2 or b'out of memory' not in ended.err:
            raise Failure(f'ended with {ended.code}, {ended.err[:200]!r}; geist says {brief(ended.log)}')


# ---- what the program does to itself

@case
def children_of_a_fork_tell_nothing(ctx):
    """A child that goes on without exec has its parent's code, patches included, and must not write into its ring."""
    argv = [ctx.build('forks')]
    plain, watched = run(argv), ctx.watch.run(argv)
    same_run(plain, watched)
    if not 1010 <= watched.report['events']['overwriting'] < 2000:
        raise Failure(f'the parent overwrote 1010 times, the report says {watched.report["events"]}')


@case
def undumpable_program_of_an_ordinary_user(ctx):
    """PR_SET_DUMPABLE takes the right to read it away while it runs: it is judged all the same. Hardware watches are not to
    be had, so that nothing is confirmed."""
    if os.geteuid() != 0:
        raise Skip('only root can become somebody else')
    with tempfile.TemporaryDirectory(prefix='geist-test-', dir='/tmp') as folder:
        os.chmod(folder, 0o777)
        geist, program = (shutil.copy(f, folder) for f in (ctx.watch.geist, ctx.build('shapes')))
        for file in (geist, program):
            os.chmod(file, 0o755)
        ended = run([geist, 'run', '--no-store', '--no-cache', '--level=suspect', '--exitcode=0', '--', program, 'undumpable'],
                    user=65534, group=65534, extra_groups=[], cwd=folder)
        if ended.code != 0 or b'GHOST WRITE' not in ended.err:
            raise Failure(f'exit code {ended.code}, {brief(ended.err.decode())}')


def as_somebody(ctx, limits, *flags):
    """run and plain run of a program by an ordinary user, whom limits bind."""
    if os.geteuid() != 0:
        raise Skip('only root can become somebody else')
    with tempfile.TemporaryDirectory(prefix='geist-test-', dir='/tmp') as folder:
        os.chmod(folder, 0o777)
        geist, program = (shutil.copy(f, folder) for f in (ctx.watch.geist, ctx.build('append_kinds')))
        for file in (geist, program):
            os.chmod(file, 0o755)

        # Nobody else's threads count against the limit of a user that nobody is.
        who = {'user': 61234, 'group': 65534, 'extra_groups': [], 'cwd': folder}
        words = ['prlimit', *[f'--{n.lower()}={v}' for n, v in limits.items()]]
        if not shutil.which('prlimit'):
            raise Skip('needs prlimit')
        plain = run([*words, program], **who)
        watched = run([*words, geist, 'run', '--no-store', '--no-cache', f'--log={folder}/log', *flags, '--', program], **who)
        log = Path(folder, 'log')
        watched.log = log.read_text() if log.exists() else ''
        return plain, watched


@case
def no_locked_memory_for_an_ordinary_user(ctx):
    plain, watched = as_somebody(ctx, {'MEMLOCK': 0})
    same_run(plain, watched, code=watched.code)
    if watched.code not in (plain.code, 66):
        raise Failure(f'exit code {watched.code}, {brief(watched.log)}')


@case
def no_more_threads(ctx):
    """Either the program runs as it does alone, or geist says in one sentence that it cannot be started."""
    for most in (1, 2, 8, 40):
        plain, watched = as_somebody(ctx, {'NPROC': most})
        text = watched.err.decode() + watched.log
        if watched.code == 3:
            if watched.out or 'geist: ' not in text or 'terminate' in text:
                raise Failure(f'with {most} threads: {watched.out!r}, {brief(text)}')
        elif b'pthread_create' in watched.err or b'new OS thread' in watched.err:
            continue  # the program had one fewer than alone, and says so itself
        else:
            same_run(plain, watched, code=watched.code)
            if watched.code not in (plain.code, 66):
                raise Failure(f'with {most} threads: exit code {watched.code}, {brief(text)}')


# ---- what watching costs

@case
def budget_is_held(ctx):
    """A hot site is thinned out before it takes more than its share, which the report says and names."""
    argv = [ctx.build('hot'), '60']
    plain = run(argv)
    watched = ctx.watch.run(argv, flags=['--budget=1%'])
    same_run(plain, watched)
    cost, lost = watched.report['cost'], watched.report['lost']
    allowed = 0.01 * cost['wall_s'] + 0.01
    if cost['slow_path_s'] + cost['watch_s'] > allowed or cost['monitor_cpu_s'] > 0.25 + allowed:
        raise Failure(f'allowed are {allowed:.3f} s: {cost}')
    if lost['thinned_out'] < 1000000 or not any('main.refill:main.go' in note for note in watched.report['notes']):
        raise Failure(f'{lost}, {watched.report["notes"]}')
    if '% run time' not in watched.log:
        raise Failure(f'the last line does not say what it cost: {brief(watched.log)}')
    unlimited = ctx.watch.run(argv, flags=['--budget=100'])
    if unlimited.report['lost']['thinned_out'] != 0:
        raise Failure(f'thinned out without need: {unlimited.report["cost"]}')


# ---- where reports go

@case
def disk_is_full(ctx):
    """The program has run and its output is whole; that the report could not be written is said, with exit code 3."""
    ended = run([ctx.watch.geist, 'run', '--report=json:/dev/full', '--', ctx.build('exits'), 'return'])
    plain = run([ctx.build('exits'), 'return'])
    if ended.code != 3 or ended.out != plain.out or b'/dev/full' not in ended.err:
        raise Failure(f'exit code {ended.code}, {ended.err[-300:]!r}')


def in_own_mounts(script, *argv):
    """Runs a script as root of a mount namespace of its own."""
    if os.geteuid() != 0 or not shutil.which('unshare'):
        raise Skip('needs root and unshare')
    ended = run(['unshare', '-m', 'sh', '-c', script, 'sh', *argv])
    if b'unshare failed' in ended.err or b'mount:' in ended.err:
        raise Skip(f'no mounts here: {brief(ended.err.decode())}')
    return ended


@case
def read_only_filesystem(ctx):
    """Refused before the program runs."""
    ended = in_own_mounts('mount --bind "$1" "$1" && mount -o remount,ro,bind "$1" && exec "$2" run --report=json:"$1"/r.json -- "$3" return',
                          ctx.folder, ctx.watch.geist, ctx.build('exits'))
    if ended.code != 3 or ended.out or b'Read-only file system' not in ended.err:
        raise Failure(f'exit code {ended.code}, {ended.out!r}, {ended.err[-300:]!r}')


@case
def no_proc(ctx):
    """Without /proc nothing can be prepared: the program does not run, and geist says what is missing."""
    ended = in_own_mounts('mount -t tmpfs none /proc && exec "$1" run -- "$2" return', ctx.watch.geist, ctx.build('exits'))
    if ended.code != 3 or ended.out or b'/proc' not in ended.err:
        raise Failure(f'run: exit code {ended.code}, {ended.out!r}, {ended.err[-300:]!r}')
    ended = in_own_mounts('mount -t tmpfs none /proc && exec "$1" attach 1', ctx.watch.geist)
    if ended.code != 3 or b'/proc is not mounted' not in ended.err:
        raise Failure(f'attach: exit code {ended.code}, {ended.err[-300:]!r}')


# ---- containers that forbid

def confined(calls, *argv):
    return run([sys.executable, CONFINED, calls, *argv])


@case
def ptrace_is_forbidden(ctx):
    ended = confined('ptrace', ctx.watch.geist, 'run', '--', ctx.build('exits'), 'return')
    if ended.code != 3 or ended.out or b'--cap-add=SYS_PTRACE' not in ended.err:
        raise Failure(f'run: exit code {ended.code}, {ended.out!r}, {ended.err[-300:]!r}')
    with server(ctx) as program:
        ended = confined('ptrace', ctx.watch.geist, 'attach', str(program.pid))
        if ended.code != 3 or b'CAP_SYS_PTRACE' not in ended.err:
            raise Failure(f'attach: exit code {ended.code}, {ended.err[-300:]!r}')
        program.must_end_well()


@case
def perf_is_forbidden(ctx):
    """Everything but confirmation works, and the report says so."""
    argv = [ctx.build('append_kinds')]
    plain = run(argv)
    words = ctx.watch.argv(argv)
    watched = ctx.watch.read(confined('perf_event_open', *words))
    same_run(plain, watched, code=watched.code)
    if not any('reads could not be watched' in note for note in watched.report['notes']):
        raise Failure(f'the notes are {watched.report["notes"]}')


@case
def program_confines_itself(ctx):
    """A filter of the program's own could end it for a call of ours: attach refuses by name."""
    with Program([sys.executable, CONFINED, 'memfd_create', ctx.build('server'), '-clients', '1']) as program:
        refused(ctx, program.pid, 'seccomp filter')
        program.must_end_well()


@case
def no_more_open_files(ctx):
    """The program has no file descriptor left for the moment that one is needed: refused, and nothing has changed."""
    with server(ctx) as program:
        resource.prlimit(program.pid, resource.RLIMIT_NOFILE, (1, 4096))
        refused(ctx, program.pid, 'memfd_create in the program: Too many open files')
        resource.prlimit(program.pid, resource.RLIMIT_NOFILE, (4096, 4096))
        must_attach(ctx, program.pid)
        time.sleep(0.1)
        program.end()
