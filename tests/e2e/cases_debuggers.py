"""The scripts of `geist report --as=gdb|dlv`, in the real debuggers: they stop before the append overwrites, what they print is what
the report says, and the program goes on to its own end."""
import json
import os
import re
import shutil
import subprocess
import threading

import registry
from go_builds import ROOT, STRIPPED, Skip, go_env
from watched import Failure, run

case = registry.group('debuggers')

DLV = 'v1.27.2'
PROGRAMS = ['demo', 'bug_strings', 'bug_global', 'bug_floats', 'bug_field_of_record', 'bug_goroutine']
SECONDS = 120
_one_build = threading.Lock()


def gdb_path():
    if not (gdb := shutil.which('gdb')):
        raise Skip('no gdb: scripts/setup --with-debuggers installs it')
    return gdb


def dlv_path():
    """Built once; the tests' own, below build/."""
    folder = ROOT / 'build' / 'tools' / f'dlv-{DLV}'
    with _one_build:
        if not (folder / 'dlv').exists():
            env = {**os.environ, 'GOBIN': str(folder), 'GOFLAGS': '-mod=mod', 'GOWORK': 'off'}
            argv = ['go', 'install', f'github.com/go-delve/delve/cmd/dlv@{DLV}']
            done = subprocess.run(argv, env=env, capture_output=True, text=True, timeout=600, cwd=ROOT)
            if done.returncode != 0:
                raise Skip(f'no dlv: {done.stderr.strip().splitlines()[-1][:200]}')
    return folder / 'dlv'


def demo_path(ctx):
    """The shop of `make demo`, which needs modules."""
    path = ctx.folder / 'shop'
    done = subprocess.run(['go', 'build', '-mod=readonly', '-o', path, '.'], cwd=ROOT / 'lab' / 'demo', env=go_env(ctx.release),
                          capture_output=True, text=True, timeout=600)
    if done.returncode != 0:
        raise Skip(f'the demo does not build here: {done.stderr.strip().splitlines()[-1][:200]}')
    return path


class Script:
    """A watched run of a program, the first finding of its report, and the script that a debugger gets."""

    def __init__(self, ctx, program, debugger, flags=()):
        self.program = demo_path(ctx) if program == 'demo' else ctx.build(program, module='lab', flags=tuple(flags))
        self.plain = run([self.program])
        self.report = ctx.folder / f'{program}.json'
        run([ctx.options.geist, 'run', f'--report=json:{self.report}', '--no-store', '--', self.program])
        self.finding = json.loads(self.report.read_text())['findings'][0]
        self.path = ctx.folder / f'{program}.{debugger}'
        made = subprocess.run([str(ctx.options.geist), 'report', f'--as={debugger}', '--finding=1', str(self.report)], capture_output=True)
        if made.returncode != 1:
            raise Failure(f'geist report --as={debugger}: exit {made.returncode}: {made.stderr.decode()}')
        self.path.write_bytes(made.stdout)

    def check_goes_on(self, out):
        for line in self.plain.out.decode().splitlines():
            if line not in out:
                raise Failure(f'the program did not go on: {line!r} is missing in {out[-1500:]}')


def check_gdb(ctx, program, flags=()):
    script = Script(ctx, program, 'gdb', flags)
    out = subprocess.run([gdb_path(), '-batch', '-nx', '-x', script.path, '--args', script.program], capture_output=True, text=True,
                         timeout=SECONDS, cwd=ctx.folder).stdout
    shown = re.search(r'geist: finding 1: before the append in (?P<place>.*)\n  operand  array (?P<array>0x\w+)  len (?P<len>\d+)  '
                      r'cap (?P<cap>\d+); .*\n  element  (?P<at>0x\w+): (?P<element>.*)\n', out)
    if not shown:
        raise Failure(f'gdb did not stop before the append: {out[-1500:]}')
    finding = script.finding
    wanted = {'len': str(finding['append']['old_len']), 'cap': str(finding['append']['cap'])}
    for key, value in wanted.items():
        if shown[key] != value:
            raise Failure(f'gdb: {key} of the operand is {shown[key]}, the report says {value}')
    check_element(finding, shown['element'])
    if finding['stop']['victim']['array'] and not re.search(rf'\n  victim   array 0x\w+  len {finding["victim"]["len"]}  in ', out):
        raise Failure(f'gdb does not show the victim with len {finding["victim"]["len"]}: {out[-1500:]}')
    script.check_goes_on(out)
    return f'{shown["place"]}: {shown["element"]}'


def check_element(finding, text):
    element = finding['element']
    first_word = int.from_bytes(bytes.fromhex(element['before_hex'])[:8], 'little')
    is_word = text.startswith('0x') and int(text.split()[0], 16) == first_word  # of a type that gdb has no words for
    if text != element['before'] and not is_word:
        raise Failure(f'gdb: the element is {text}, the report says {element["before"]} ({element["before_hex"]})')


def check_dlv(ctx, program):
    script = Script(ctx, program, 'dlv')
    out = subprocess.run([dlv_path(), 'exec', '--allow-non-terminal-interactive=true', '--init', script.path, script.program],
                         capture_output=True, text=True, timeout=SECONDS, cwd=ctx.folder, stdin=subprocess.DEVNULL).stdout
    finding = script.finding
    values = out.split('"stopped before the append: its operand\'s array, length, capacity"\n')
    if '> [ghost]' not in out or len(values) != 2:
        raise Failure(f'dlv did not stop before the append: {out[-1500:]}')
    _, length, cap = values[1].splitlines()[:3]
    if (int(length), int(cap)) != (finding['append']['old_len'], finding['append']['cap']):
        raise Failure(f'dlv: operand len {length} cap {cap}, the report says {finding["append"]}')
    bytes_at = re.search(r'\[\d+\]uint8 \[(.*)\]', values[1])
    found = bytes(int(one, 16) for one in bytes_at[1].split(','))
    known = bytes.fromhex(finding['element']['before_hex'])
    is_same = finding['element']['before'] in values[1] if finding['array']['type'] == 'string' else found == known[:len(found)]
    if not is_same:
        raise Failure(f'dlv: the element is {found.hex()}, the report says {finding["element"]["before_hex"]}: {values[1][:600]}')
    script.check_goes_on(out)
    return f'{finding["element"]["before"]}'


for _program in PROGRAMS:
    case.add(f'gdb-{_program}', lambda ctx, program=_program: check_gdb(ctx, program))
    case.add(f'dlv-{_program}', lambda ctx, program=_program: check_dlv(ctx, program))


@case
def gdb_stripped(ctx):
    """Addresses and registers are enough: no symbol table, no DWARF."""
    return check_gdb(ctx, 'bug_strings', STRIPPED)


@case
def gdb_position_independent(ctx):
    return check_gdb(ctx, 'bug_strings', ('-buildmode=pie',))


@case
def dlv_refuses_position_independent(ctx):
    program = ctx.build('bug_strings', module='lab', flags=('-buildmode=pie',))
    report = ctx.folder / 'report.json'
    run([ctx.options.geist, 'run', f'--report=json:{report}', '--no-store', '--', program])
    done = subprocess.run([str(ctx.options.geist), 'report', '--as=dlv', str(report)], capture_output=True, text=True)
    if done.returncode != 3 or 'position-independent' not in done.stderr or done.stdout:
        raise Failure(f'exit {done.returncode}: {done.stderr}')


@case
def gdb_another_program(ctx):
    """The script of one build does not read another one's memory as if it were that one's."""
    script = Script(ctx, 'bug_strings', 'gdb')
    other = ctx.build('bug_global', module='lab')
    done = subprocess.run([gdb_path(), '-batch', '-nx', '-x', script.path, '--args', other], capture_output=True, text=True, timeout=SECONDS)
    if 'not the program of the report' not in done.stdout + done.stderr or 'before the append' in done.stdout:
        raise Failure(f'not refused: {(done.stdout + done.stderr)[-800:]}')
