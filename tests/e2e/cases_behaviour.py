"""A watched program behaves as it does alone: exit codes, signals, streams, files, children. And geist's own manners."""
import fcntl
import os
import pty
import resource
import select
import shlex
import signal
import struct
import subprocess
import termios
import time

import registry
from go_builds import ROOT, go_env
from kill_monitor import Killer
from watched import FINDINGS_EXIT, Failure, brief, crash_text, describe, findings, must_have_counted, run, same_bytes, same_run, shell_code

case = registry.group('behaviour')


# ---- what the report says, and looking harder

@case
def the_reader_has_a_goroutine(ctx):
    watched = ctx.watch.run([ctx.build('bug_closure', 'lab')])
    confirmed = [f for f in findings(watched) if f['level'] == 'confirmed']
    if not confirmed or any(f.get('reads_goroutine') != '1' for f in confirmed):
        raise Failure(f'goroutines of the readers: {[f.get("reads_goroutine") for f in confirmed]}, expected 1')


def counts_its_appends(goroutines, processors, flags=(), build_flags=()):
    """geist run --signals counts what the program counted itself, to the last append."""
    def check(ctx):
        watched = ctx.watch.run([ctx.build('counted', flags=build_flags), goroutines], flags=('--signals', *flags),
                                env=dict(os.environ, GOMAXPROCS=str(processors)))
        must_have_counted(watched.report, watched.out)
    return check


case.add('counts-one-goroutine', counts_its_appends(1, 2))
case.add('counts-eight-goroutines', counts_its_appends(8, 8))
case.add('counts-more-threads-than-lines', counts_its_appends(200, 100))
case.add('counts-following', counts_its_appends(8, 8, ('--follow',)))
case.add('counts-pie', counts_its_appends(8, 8, build_flags=('-buildmode=pie',)))


@case
def counts_nothing_unasked(ctx):
    report = ctx.watch.run([ctx.build('counted'), 1]).report
    if report['signals'] is not None:
        raise Failure(f'signals without --signals: {report["signals"]}')


def thorough(program):
    def check(ctx):
        argv = [ctx.build(program)]
        plain, watched = run(argv), ctx.watch.run(argv, flags=['--thorough'])
        found = findings(watched)
        if found:
            raise Failure('found ' + '; '.join(map(describe, found)))
        same_run(plain, watched)
    return check


for _program in ('append_kinds', 'deep_stack', 'gc_stress', 'threads'):
    case.add(f'thorough-{_program}', thorough(_program))


# ---- how a program ends

ENDS = ['return', 'exit 0', 'exit 1', 'exit 3', 'exit 66', 'exit 255', 'exit-goroutine', 'goexit', 'fatal', 'recover', 'recover-nil']
CRASHES = ['panic', 'panic-error', 'panic-goroutine', 'nil', 'map', 'deadlock', 'overflow']
SIGNALS = ['ABRT', 'KILL', 'TERM', 'INT', 'HUP', 'QUIT', 'SEGV', 'BUS', 'FPE', 'PIPE', 'ALRM', 'USR1', 'USR2', 'TRAP', 'ILL', 'SYS', 'XCPU']


def ends(how):
    def check(ctx):
        argv = [ctx.build('exits'), *how.split()]
        same_run(run(argv), ctx.watch.run(argv))
    return check


def crashes(how):
    def check(ctx):
        argv = [ctx.build('exits'), how]
        plain, watched = run(argv), ctx.watch.run(argv)
        if plain.code != 2:
            raise Failure(f'plain exit code {plain.code}, expected 2')
        same_run(plain, watched, normalise=crash_text)
    return check


def dies_of(name):
    def check(ctx):
        argv = [ctx.build('exits'), 'signal', str(int(getattr(signal, 'SIG' + name)))]
        plain, watched = run(argv), ctx.watch.run(argv)
        same_run(plain, watched, normalise=lambda err: crash_text(err).split(b'\n')[:3])  # where it hits is up to chance
        if watched.report and plain.code > 128 and watched.report['exit'].get('signal') != 'SIG' + name:
            raise Failure(f'the report says signal {watched.report["exit"].get("signal")!r}, expected SIG{name}')
    return check


for _how in ENDS:
    case.add('ends-' + _how.replace(' ', '-'), ends(_how))
for _how in CRASHES:
    case.add('crashes-' + _how, crashes(_how))
for _name in SIGNALS:
    case.add('dies-of-' + _name, dies_of(_name))


# ---- signals from outside

def wait_for(stream, text, seconds=30):
    """Reads the stream until the text is there."""
    seen = b''
    end = time.monotonic() + seconds
    while text not in seen:
        left = end - time.monotonic()
        if left <= 0 or not select.select([stream], [], [], left)[0]:
            raise Failure(f'{text!r} did not come, only {seen!r}')
        got = os.read(stream.fileno(), 4096)
        if not got:
            raise Failure(f'{text!r} did not come, only {seen!r}, then the end')
        seen += got
    return seen


def with_signals(argv, steps, **more):
    """Starts the program, waits until it is ready, sends signals and waits for the answers."""
    p = subprocess.Popen([str(a) for a in argv], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **more)
    try:
        out = wait_for(p.stdout, b'ready\n')
        for sig, answer in steps:
            p.send_signal(sig)
            if answer:
                out += wait_for(p.stdout, answer)
        rest, err = p.communicate(timeout=40)
        return out + rest, err, shell_code(p.returncode)
    except subprocess.TimeoutExpired:
        raise Failure('did not end after its signals') from None
    finally:
        if p.poll() is None:
            p.kill()
            p.wait()


def forwarded(mode, steps):
    def check(ctx):
        argv = [ctx.build('signals'), mode]
        plain, watched = with_signals(argv, steps), with_signals(ctx.watch.argv(argv), steps)
        if plain != watched:
            raise Failure(f'plain {plain}, under geist {watched}')
    return check


case.add('signals-handled', forwarded('notify', [(signal.SIGINT, b'got interrupt\n'), (signal.SIGHUP, b'got hangup\n'),
                                                (signal.SIGUSR1, b'got user defined signal 1\n'), (signal.SIGTERM, None)]))
case.add('signals-default-int', forwarded('default', [(signal.SIGINT, None)]))
case.add('signals-default-term', forwarded('default', [(signal.SIGTERM, None)]))
case.add('signals-ignored', forwarded('ignore', [(signal.SIGINT, None)]))


@case
def signals_default_quit(ctx):
    argv = [ctx.build('signals'), 'default']
    steps = [(signal.SIGQUIT, None)]
    plain, watched = with_signals(argv, steps), with_signals(ctx.watch.argv(argv), steps)
    if (plain[0], plain[2]) != (watched[0], watched[2]) or b'SIGQUIT: quit' not in watched[1]:
        raise Failure(f'plain {plain[0]}, {plain[2]}; under geist {watched[0]}, {watched[2]}, {watched[1][:200]}')


def at_terminal(argv, keys):
    """Runs at a terminal of its own, sends keys when it is ready, gives all that was shown and the exit code."""
    pid, master = pty.fork()
    if pid == 0:
        try:
            os.execv(str(argv[0]), [str(a) for a in argv])
        finally:
            os._exit(98)
    attributes = termios.tcgetattr(master)
    attributes[3] &= ~termios.ECHO
    termios.tcsetattr(master, termios.TCSANOW, attributes)
    fcntl.ioctl(master, termios.TIOCSWINSZ, struct.pack('HHHH', 25, 100, 0, 0))
    shown, sent, end = b'', 0, time.monotonic() + 40
    while time.monotonic() < end:
        if not select.select([master], [], [], 0.2)[0]:
            continue
        try:
            got = os.read(master, 4096)
        except OSError:
            break  # the last one that had the terminal has left
        shown += got
        while sent < len(keys) and keys[sent][0] in shown:
            os.write(master, keys[sent][1])
            sent += 1
    else:
        os.kill(pid, signal.SIGKILL)
    os.close(master)
    return shown.replace(b'\r\n', b'\n'), shell_code(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))


@case
def terminal_ctrl_c_arrives_once(ctx):
    argv = [ctx.build('signals'), 'notify']
    keys = [(b'ready\r\n', b'\x03'), (b'got interrupt', b'\x03'), (b'interrupt\r\ngot interrupt', b'\x1c')]

    def session(argv):
        shown, code = at_terminal(argv, keys)
        return shown.count(b'got interrupt'), code

    plain = session(argv)
    watched = session(ctx.watch.argv(argv))
    if plain != watched:
        raise Failure(f'interrupts seen and exit code: plain {plain}, under geist {watched}')


@case
def terminal_output_is_a_terminal(ctx):
    argv = [ctx.build('surroundings')]
    plain, watched = at_terminal(argv, []), at_terminal(ctx.watch.argv(argv), [])

    def keep(text):  # every terminal has its own name and session
        return b'\n'.join(line for line in text.splitlines() if not line.startswith((b'group', b'fd')))

    same_bytes('terminal', keep(plain[0]), keep(watched[0]))


# ---- streams, files, arguments

@case
def stdin_is_passed_through(ctx):
    argv = [ctx.build('streams')]
    data = os.urandom(3_000_000)
    plain, watched = run(argv, stdin=data), ctx.watch.run(argv, stdin=data)
    same_run(plain, watched)
    if watched.out != data:
        raise Failure('the input did not come back')


@case
def stdin_empty(ctx):
    argv = [ctx.build('streams')]
    same_run(run(argv, stdin=b''), ctx.watch.run(argv, stdin=b''))


@case
def large_output(ctx):
    argv = [ctx.build('streams'), 'out', '65536']  # 64 MiB and 1 MiB
    same_run(run(argv), ctx.watch.run(argv))


@case
def output_closed_early(ctx):
    argv = [ctx.build('streams'), 'out', '65536']

    def head(argv):
        p = subprocess.Popen([str(a) for a in argv], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        first = p.stdout.read(1000)
        p.stdout.close()
        return first, shell_code(p.wait(timeout=60))

    plain, watched = head(argv), head(ctx.watch.argv(argv))
    if plain != watched:
        raise Failure(f'exit code plain {plain[1]}, under geist {watched[1]} (SIGPIPE is {128 + signal.SIGPIPE})')


@case
def surroundings(ctx):
    argv = [ctx.build('surroundings'), 'one', '', 'two words', '--help', '--', '-x', 'ünï', '\t']
    env = dict(os.environ, EMPTY='', STRANGE='a=b\nc', GOTRACEBACK='crash')
    same_run(run(argv, env=env), ctx.watch.run(argv, env=env))


@case
def surroundings_with_open_files(ctx):
    argv = [ctx.build('surroundings')]
    r, w = os.pipe()
    high = fcntl.fcntl(r, fcntl.F_DUPFD, 57)
    try:
        more = dict(pass_fds=(w, high))
        same_run(run(argv, **more), ctx.watch.run(argv, **more))
    finally:
        for fd in (r, w, high):
            os.close(fd)


@case
def surroundings_with_closed_streams(ctx):
    argv = [ctx.build('surroundings')]

    def closed(argv):
        return run(['/bin/sh', '-c', 'exec "$@" 0<&- 2>&-', 'sh', *argv])

    same_run(closed(argv), closed(ctx.watch.argv(argv)))


@case
def surroundings_with_masks_and_limits(ctx):
    argv = [ctx.build('surroundings')]

    def prepare():
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR2, signal.SIGCHLD])
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        os.umask(0o027)
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))

    same_run(run(argv, preexec_fn=prepare), ctx.watch.run(argv, preexec_fn=prepare))


def limited(program, **limits):
    def check(ctx):
        argv = [ctx.build(program)]

        def prepare():
            for name, value in limits.items():
                resource.setrlimit(getattr(resource, 'RLIMIT_' + name), (value, value))

        same_run(run(argv, preexec_fn=prepare), ctx.watch.run(argv, preexec_fn=prepare))
    return check


case.add('little-address-space', limited('append_kinds', AS=1 << 31))
case.add('few-open-files', limited('append_kinds', NOFILE=12))
case.add('small-main-stack', limited('append_kinds', STACK=256 << 10))


@case
def found_in_path(ctx):
    binary = ctx.build('surroundings')
    env = dict(os.environ, PATH=f'{binary.parent}:{os.environ["PATH"]}')
    same_run(run(['surroundings', 'x'], env=env), ctx.watch.run(['surroundings', 'x'], env=env))


@case
def relative_path(ctx):
    binary = ctx.build('surroundings')
    same_run(run(['./surroundings'], cwd=binary.parent), ctx.watch.run(['./surroundings'], cwd=binary.parent))


@case
def through_a_symbolic_link(ctx):
    link = ctx.folder / 'another-name'
    link.symlink_to(ctx.build('surroundings'))
    same_run(run([link]), ctx.watch.run([link]))


@case
def geist_variable_reaches_nobody_else(ctx):
    argv = [ctx.build('surroundings')]
    env = dict(os.environ, GEIST=f'log={ctx.folder}/variable.log')
    plain = run(argv, env=env)
    watched = run([ctx.watch.geist, 'run', '--', *argv], env=env)
    same_run(plain, watched)
    if not (ctx.folder / 'variable.log').exists():
        raise Failure('GEIST=log=PATH did not make the log')


# ---- children

@case
def children(ctx):
    argv = [ctx.build('children')]
    same_run(run(argv), ctx.watch.run(argv))


@case
def exec_of_another_program(ctx):
    argv = [ctx.build('children'), 'exec']
    same_run(run(argv), ctx.watch.run(argv))


@case
def program_ends_but_a_grandchild_holds_the_output(ctx):
    argv = ['/bin/sh', '-c', f'"$@" & wait $!; echo code $?', 'sh', *ctx.watch.argv([ctx.build('exits'), 'exit', '3'])]
    ended = run(argv)
    if ended.out.splitlines()[-1:] != [b'code 3']:
        raise Failure(f'a shell in between says {ended.out!r}')


# ---- findings, levels, lists: what decides the exit code

def orders(ctx):
    return ctx.build('orders', module='lab')


def expect_code(ended, code, why):
    if ended.code != code:
        raise Failure(f'exit code {ended.code}, expected {code}: {why}; geist says: {brief(ended.log)}')


@case
def findings_exit_66(ctx):
    ended = ctx.watch.run([orders(ctx)])
    if not findings(ended):
        raise Failure('nothing found')
    expect_code(ended, FINDINGS_EXIT, 'there are findings')


@case
def exitcode_is_an_option(ctx):
    env = dict(os.environ, GEIST='exitcode=7')
    expect_code(ctx.watch.run([orders(ctx)], env=env), 7, 'GEIST=exitcode=7')


@case
def fail_on_a_stronger_level_ends_with_the_own_code(ctx):
    ended = ctx.watch.run([orders(ctx)], flags=['--level=suspect', '--fail-on=confirmed', '--no-watch'])
    if not findings(ended, 'suspect'):
        raise Failure('nothing found')
    expect_code(ended, 0, 'without hardware watches nothing is confirmed')


@case
def suppression_hides(ctx):
    file = ctx.folder / 'suppressions'
    file.write_text('site:main.process*  # known, the chunks are cut that way on purpose\nsite:no.such.function  # gone\n')
    ended = ctx.watch.run([orders(ctx)], flags=[f'--suppressions={file}'])
    expect_code(ended, 0, 'the only site is suppressed')
    if 'no.such.function' not in ended.log:
        raise Failure('the suppression that was not used is not reported')


@case
def suppression_without_reason_is_refused(ctx):
    file = ctx.folder / 'suppressions'
    file.write_text('site:main.process\n')
    ended = ctx.watch.run([orders(ctx)], flags=[f'--suppressions={file}'])
    if ended.code not in (2, 3):
        raise Failure(f'exit code {ended.code}, expected 2 or 3')


@case
def baseline_hides_what_was_there(ctx):
    first = ctx.watch.run([orders(ctx)], tag='first')
    findings(first)
    second = ctx.watch.run([orders(ctx)], tag='second', flags=[f'--baseline={ctx.folder}/first.json'])
    expect_code(second, 0, 'all of it is in the baseline')


@case
def fingerprint_is_stable(ctx):
    prints = []
    for tag in ('one', 'two'):
        prints.append(sorted(f['fingerprint'] for f in findings(ctx.watch.run([orders(ctx)], tag=tag))))
    if prints[0] != prints[1] or not prints[0] or not all(prints[0]):
        raise Failure(f'two runs of the same program: {prints}')


@case
def report_goes_to_stderr_without_log(ctx):
    ended = run([ctx.watch.geist, 'run', '--', orders(ctx)])
    plain = run([orders(ctx)])
    same_bytes('stdout', plain.out, ended.out)
    if b'GHOST WRITE' not in ended.err or b'\x1b[' in ended.err:
        raise Failure(f'stderr is {ended.err[:300]!r}')


@case
def no_verb_is_run(ctx):
    ended = run([ctx.watch.geist, orders(ctx)])
    expect_code(ended, FINDINGS_EXIT, 'geist ./prog is geist run -- ./prog')


# ---- tests

@case
def go_test_exec(ctx):
    """`go test -exec 'geist run ...'` finds the ghost write that fails one of three tests, and changes no verdict."""
    def verdicts(*flags):
        p = run(['go', 'test', '-count=1', '-v', *flags, './cart'], cwd=ROOT / 'tests' / 'go', env=go_env(ctx.release))
        return [line.split(' (')[0] for line in p.out.decode().splitlines() if line.lstrip().startswith(('--- ', 'PASS', 'FAIL'))]
    ctx.builds.require(ctx.release)
    plain = verdicts()
    words = ctx.watch.argv([])
    watched = verdicts('-exec', shlex.join(words))
    clean = [line.split('\t')[0] for line in plain], [line.split('\t')[0] for line in watched]
    if clean[0] != clean[1] or not any('FAIL: TestTwo' in line for line in plain):
        raise Failure(f'plain {clean[0]}, under geist {clean[1]}')
    found = findings(ctx.watch.read(run(['true'])))
    if [f['site']['function'] for f in found] != ['geist.example/tests/cart.Cart.With']:
        raise Failure(f'found: {[describe(f) for f in found]}')


# ---- geist dies

@case
def monitor_is_killed(ctx):
    rounds, length = (1000, '40') if ctx.options.slow else (12, '150')
    killer = Killer(ctx.watch.geist, ctx.build('steady'), ctx.folder, (length,))
    if problems := killer.rounds(rounds):
        raise Failure(f'{len(problems)} of {rounds} rounds: {problems[0]}')
    return killer.summary()
