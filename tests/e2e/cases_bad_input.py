"""What geist is given instead of a Go program it can watch: every row of "bad input" in the interface, by name and exit code."""
import ctypes
import os
import random
import shutil
import struct
import subprocess

import registry
from go_builds import Build, Skip
from watched import Failure, brief, findings, run

BAD_INPUT = 3
case = registry.group('behaviour/bad-')
usage_case = registry.group('behaviour/usage-')


def good(ctx, **more):
    return ctx.builds.get(Build('lab', 'orders', ctx.release, **more))


def refuse(ctx, argv, code, *words, flags=()):
    """geist ends with this code and says all of these words; nothing of it on stdout, no trace of a crash."""
    ended = run([ctx.watch.geist, 'run', *flags, '--', *argv])
    text = ended.err.decode('utf-8', 'replace')
    if ended.code != code:
        raise Failure(f'exit code {ended.code}, expected {code}; it says: {brief(text)}')
    if ended.out:
        raise Failure(f'on stdout: {ended.out[:200]!r}')
    for word in words:
        if not any(w.lower() in text.lower() for w in word.split('|')):
            raise Failure(f'the message does not say {word!r}: {brief(text)}')
    return ended


def place(ctx, data, name='given', mode=0o755):
    path = ctx.folder / name
    path.write_bytes(data)
    path.chmod(mode)
    return path


@case
def not_elf(ctx):
    refuse(ctx, [place(ctx, b'\x00\x01\x02 this is no program\n' * 50)], BAD_INPUT, 'ELF')


@case
def empty(ctx):
    refuse(ctx, [place(ctx, b'')], BAD_INPUT, 'empty|ELF|truncated')


@case
def windows(ctx):
    refuse(ctx, [good(ctx, env=(('GOOS', 'windows'),))], BAD_INPUT, 'Windows|ELF')


@case
def mac(ctx):
    refuse(ctx, [good(ctx, env=(('GOOS', 'darwin'),))], BAD_INPUT, 'macOS|ELF')


@case
def bits_32(ctx):
    refuse(ctx, [good(ctx, env=(('GOARCH', '386'),))], BAD_INPUT, '32')


@case
def arm64(ctx):
    refuse(ctx, [good(ctx, env=(('GOARCH', 'arm64'),))], BAD_INPUT, 'arm64|aarch64', 'x86-64|amd64|x86_64')


@case
def big_endian(ctx):
    refuse(ctx, [good(ctx, env=(('GOARCH', 's390x'),))], BAD_INPUT, 's390|endian')


@case
def truncated(ctx):
    data = good(ctx).read_bytes()
    for size in (20, 64, 4096, len(data) // 4, len(data) // 2):
        refuse(ctx, [place(ctx, data[:size], f'first-{size}')], BAD_INPUT)


def compiled(ctx, source, *flags):
    """A C program; Skip where there is no compiler."""
    if not shutil.which('gcc'):
        raise Skip('no gcc')
    path = ctx.folder / 'from-c'
    file = ctx.folder / 'program.c'
    file.write_text(source)
    subprocess.run(['gcc', '-o', path, file, *flags], check=True, capture_output=True)
    return path


@case
def elf_but_not_go(ctx):
    refuse(ctx, [compiled(ctx, 'int main(void) { return 0; }')], BAD_INPUT, 'Go')


@case
def stripped_elf_but_not_go(ctx):
    refuse(ctx, [compiled(ctx, 'int main(void) { return 0; }', '-s', '-static')], BAD_INPUT, 'Go')


@case
def gccgo(ctx):
    source = '''__attribute__((section(".go_export"), used)) static const char export_data[] = "v3;\\npackage main\\n";
        void __go_init_main(void) {} void runtime_main(void) {} int main(void) { __go_init_main(); return 0; }'''
    refuse(ctx, [compiled(ctx, source)], BAD_INPUT, 'gccgo')


@case
def tinygo(ctx):
    source = '''void tinygo_scanCurrentStack(void) {} void tinygo_longjmp(void) {} void tinygo_startTask(void) {}
        int main(void) { tinygo_scanCurrentStack(); return 0; }'''
    refuse(ctx, [compiled(ctx, source)], BAD_INPUT, 'tinygo')


@case
def upx(ctx):
    """An ELF file as UPX leaves it: no sections, one segment, its marks in front of the packed bytes."""
    header = b'\x7fELF\x02\x01\x01' + b'\0' * 9 + struct.pack('<HHIQQQIHHHHHH', 2, 62, 1, 0x400400, 64, 0, 0, 64, 56, 1, 0, 0, 0)
    segment = struct.pack('<IIQQQQQQ', 1, 5, 0, 0x400000, 0x400000, 0x2000, 0x2000, 0x1000)
    packed = b'\0' * 4 + b'UPX!' + bytes([13, 22, 14, 10]) + random.Random(7).randbytes(0x1f00)
    footer = b'UPX!' + b'\0' * 32
    body = header + segment + packed
    refuse(ctx, [place(ctx, body + b'\0' * (0x2000 - len(body) - len(footer)) + footer)], BAD_INPUT, 'UPX|packed')


def of_release(ctx, to):
    """The good binary with its release changed to another one of the same length, everywhere."""
    data = good(ctx).read_bytes()
    old = ('go' + ctx.release).encode()
    new = to.encode().ljust(len(old), b'0') if len(to) < len(old) else to.encode()
    if len(new) != len(old) or old not in data:
        raise Skip(f'cannot turn {old} into {new}')
    return place(ctx, data.replace(old, new), 'changed-release')


@case
def release_too_new(ctx):
    refuse(ctx, [of_release(ctx, 'go1.99.1')], BAD_INPUT, 'go1.99', '1.27', '1.21', '--assume-go')


@case
def release_too_old(ctx):
    refuse(ctx, [of_release(ctx, 'go1.18.1')], BAD_INPUT, 'go1.18', '1.21')


@case
def release_is_no_release(ctx):
    refuse(ctx, [of_release(ctx, 'gobanana')], BAD_INPUT, 'gobanana')


@case
def assume_go_lets_it_run(ctx):
    minor = '.'.join(ctx.release.split('.')[:2])
    ended = ctx.watch.run([of_release(ctx, 'go1.99.1')], flags=[f'--assume-go={minor}'])
    if ended.code not in (0, 66) or b'orders' not in ended.out:
        raise Failure(f'exit code {ended.code}, stdout {ended.out[:100]!r}; it says: {brief(ended.log)}')


@case
def race_build(ctx):
    """Builds with -race expand every append early and map shadow memory: refused by name."""
    refuse(ctx, [good(ctx, flags=('-race',), env=(('CGO_ENABLED', '1'),))], BAD_INPUT, '-race')


@case
def script(ctx):
    refuse(ctx, [place(ctx, b'#!/bin/sh\necho ran\n')], 126, 'script|exec format|cannot execute')


@case
def missing(ctx):
    refuse(ctx, [ctx.folder / 'nothing-here'], 127, 'no such file')


@case
def missing_in_path(ctx):
    refuse(ctx, ['geist-no-such-program'], 127, 'not found|no such file')


@case
def no_permission(ctx):
    refuse(ctx, [place(ctx, good(ctx).read_bytes(), mode=0o644)], 126, 'permission denied')


@case
def a_folder(ctx):
    refuse(ctx, [ctx.folder], 126, 'directory|permission denied')


@case
def file_as_folder(ctx):
    refuse(ctx, [place(ctx, b'x') / 'program'], 127, 'not a directory|no such file')


def usage(*argv):
    def check(ctx):
        ended = run([ctx.watch.geist, *argv])
        if ended.code != 2 or not ended.err or ended.out:
            raise Failure(f'exit code {ended.code}, expected 2 and a message on stderr; {brief(ended.err.decode())}')
    return check


usage_case.add('nothing', usage())
usage_case.add('run-nothing', usage('run'))
usage_case.add('run-nothing-after-dashes', usage('run', '--'))
usage_case.add('unknown-flag', usage('run', '--no-such-flag', '--', '/bin/true'))
usage_case.add('bad-level', usage('run', '--level=loud', '--', '/bin/true'))
usage_case.add('bad-report', usage('run', '--report=poem:x', '--', '/bin/true'))


@case
def report_that_cannot_be_written(ctx):
    """Output files are opened before long work: the program must not have run for nothing."""
    ended = run([ctx.watch.geist, 'run', '--report=json:/no/such/folder/report.json', '--', good(ctx)])
    if ended.code in (0, 66) or ended.out:
        raise Failure(f'exit code {ended.code}, stdout {ended.out[:100]!r}: the program ran')
    if b'/no/such/folder' not in ended.err:
        raise Failure(f'the message does not name the file: {brief(ended.err.decode())}')


def damaged(kind, count):
    """A Go binary with bytes changed at random: `geist sites` refuses or lists, but never crashes or hangs."""
    def check(ctx):
        original = good(ctx, flags=('-ldflags=-s -w',) if kind == 'tables' else ())
        data = original.read_bytes()
        rng = random.Random(f'{kind}-{ctx.options.seed}')
        places = section_ranges(data, kind)
        for number in range(count * (10 if ctx.options.slow else 1)):
            bad = bytearray(data)
            for _ in range(rng.choice([1, 3, 30, 300])):
                start, size = rng.choice(places)
                at = start + rng.randrange(size)
                bad[at] = rng.choice([0, 0xff, 0x7f, 0x80, rng.randrange(256), bad[at] ^ 1 << rng.randrange(8)])
            path = place(ctx, bytes(bad), f'damaged-{kind}')
            ended = run([ctx.watch.geist, 'sites', path], timeout=60)
            if ended.code not in (0, 1, BAD_INPUT):
                keep = place(ctx, bytes(bad), f'damaged-{kind}-{number}')
                raise Failure(f'exit code {ended.code} for {keep}: {brief(ended.err.decode("utf-8", "replace"))}')
            path.unlink()
    return check


def section_ranges(data, kind):
    """Where in the file to change bytes: the ELF header and section table, or what the sections of this kind hold."""
    shoff, = struct.unpack_from('<Q', data, 40)
    shentsize, shnum, shstrndx = struct.unpack_from('<HHH', data, 58)
    if kind == 'headers':
        return [(4, 60), (64, 56 * 7), (shoff, shentsize * shnum)]
    sections = [struct.unpack_from('<IIQQQQ', data, shoff + i * shentsize) for i in range(shnum)]
    names = sections[shstrndx][4]
    wanted = {'tables': (b'.gopclntab', b'.go.buildinfo', b'.typelink', b'.go.module', b'.noptrdata', b'.rodata', b'.data'),
              'debug': (b'.debug_', b'.zdebug_')}[kind]
    ranges = []
    for name, type_, _, _, offset, size in sections:
        text = data[names + name:data.index(b'\0', names + name)]
        if text.startswith(wanted) and size > 0 and type_ != 8:
            ranges.append((offset, min(size, 4096) if kind == 'tables' else size))
            ranges.append((offset, size))
    return ranges


case.add('damaged-headers', damaged('headers', 30))
case.add('damaged-tables', damaged('tables', 30))
case.add('damaged-debug-info', damaged('debug', 15))


def forbid(number):
    """For preexec_fn: this system call fails with EPERM from now on, as under a container's seccomp profile."""
    statement = struct.Struct('<HBBI')
    filters = b''.join([
        statement.pack(0x20, 0, 0, 0),                # load the number of the call
        statement.pack(0x15, 0, 1, number),           # not it: skip one
        statement.pack(0x06, 0, 0, 0x00050000 | 1),   # errno EPERM
        statement.pack(0x06, 0, 0, 0x7fff0000),       # allow
    ])
    buffer = ctypes.create_string_buffer(filters)
    program = ctypes.create_string_buffer(struct.pack('<HxxxxxxQ', len(filters) // 8, ctypes.addressof(buffer)))
    libc = ctypes.CDLL(None, use_errno=True)

    def apply(_keep=buffer):
        libc.prctl(38, 1, 0, 0, 0)  # no new privileges: what an ordinary user needs for a filter
        if libc.prctl(22, 2, ctypes.c_void_p(ctypes.addressof(program)), 0, 0) != 0:
            os._exit(97)
    return apply


@case
def ptrace_is_forbidden(ctx):
    ended = run([ctx.watch.geist, 'run', '--', good(ctx)], preexec_fn=forbid(101))
    text = ended.err.decode('utf-8', 'replace')
    if ended.code != BAD_INPUT or ended.out or 'ptrace' not in text.lower():
        raise Failure(f'exit code {ended.code}, expected {BAD_INPUT} and a word about ptrace; stdout {ended.out[:80]!r}; {brief(text)}')


@case
def perf_is_forbidden(ctx):
    """Without hardware watches no read is seen, so nothing is confirmed, and the report says what is lost."""
    ended = ctx.watch.run([good(ctx)], flags=['--level=suspect'], preexec_fn=forbid(298))
    found = findings(ended, 'suspect')
    if not found or any(f['level'] not in ('suspect', 'likely') for f in found):
        raise Failure(f'levels {[f["level"] for f in found]}, expected suspect or likely')
    if 'perf' not in ended.log.lower():
        raise Failure('the text does not say that perf is missing: ' + brief(ended.log[-400:]))
