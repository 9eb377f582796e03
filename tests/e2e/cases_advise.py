"""geist advise measures what it says: every variant did its work, and bad input ends with a sentence and leaves nothing behind. How fast
something is depends on the machine, so no case asks for it."""
import json
import os
import signal
import subprocess
import time

import registry
from go_builds import RELEASES, Build
from watched import Failure

case = registry.group('advise')


def need(condition, message):
    if not condition:
        raise Failure(message)


def advise(ctx, *words, code=0, folder=None, timeout=300, **environment):
    """Standard output and error. Whatever happens, the temporary folder is empty afterwards."""
    temporary = ctx.folder / 'tmp'
    temporary.mkdir(exist_ok=True)
    done = subprocess.run([str(ctx.options.geist), 'advise', *map(str, words)], capture_output=True, text=True, timeout=timeout, cwd=folder or ctx.folder,
                          env=dict(os.environ, TMPDIR=str(temporary), **environment))
    need(done.returncode == code, f'advise {words}: exit {done.returncode}: {done.stderr[-600:]}')
    need(not os.listdir(temporary), f'advise {words} left {os.listdir(temporary)}')
    if code:
        lines = [line for line in done.stderr.splitlines() if not line.startswith('  ')]
        need(len(lines) == 1 and lines[0].startswith('geist: '), f'not one sentence: {done.stderr!r}')
    return done.stdout, done.stderr


def report_of(ctx, program, module='lab'):
    path = ctx.folder / f'{program}.json'
    watched = subprocess.run([str(ctx.options.geist), 'run', '--no-store', '--exitcode=0', '--log=/dev/null', f'--report=json:{path}', '--',
                              str(ctx.builds.get(Build(module, program, ctx.release)))], capture_output=True, text=True, timeout=120)
    need(path.exists(), f'no report of {program}: {watched.stderr[-400:]}')
    return path, json.loads(path.read_text())


def check_shape(shape, concat):
    rows = {row['name']: row for row in shape['repairs']}
    need(list(rows) == ['as_it_is', 'deep_copy', 'clip', 'concat', 'own_array', 'pool'], f'rows {list(rows)}')
    need(('ns_per_op' in rows['concat']) == concat, f'slices.Concat: {rows["concat"]}')
    if not concat:
        del rows['concat']
    for name, row in rows.items():
        need(row['ns_per_op'] > 0 and row['ns_low'] <= row['ns_per_op'] <= row['ns_high'], f'{name}: {row}')
        # What the append does as it is, the finding says; each repair leaves the other slice alone.
        need(row['overwritten'] == (shape['added'] if name == 'as_it_is' else 0), f'{name} overwrote {row["overwritten"]}')
        need(name == 'pool' or row['allocs_per_op'] == {'as_it_is': 0, 'deep_copy': 2}.get(name, 1), f'{name}: {row["allocs_per_op"]} allocations')
    need(rows['own_array']['bytes_per_op'] >= (shape['len'] + shape['added']) * shape['element_size'], f'own array: {rows["own_array"]}')
    need(rows['clip']['bytes_per_op'] >= rows['own_array']['bytes_per_op'], 'append rounds up, and yet takes fewer bytes')
    need(shape['take'] in rows and shape['take'] not in ('as_it_is', 'pool'), f'take {shape["take"]}')
    need(f'{rows[shape["take"]]["bytes_per_op"]:.0f} B' in shape['sentence'], f'the sentence is not of the figures: {shape["sentence"]}')


@case
def slices_of_a_report(ctx):
    path, report = report_of(ctx, 'orders')
    finding = report['findings'][0]
    out, _ = advise(ctx, 'slices', path, '--json', '--rounds=2')
    advice = json.loads(out)
    need(advice['schema'] == 'geist-advice/1' and advice['go'].startswith('go1.') and advice['rounds'] == 2, f'{advice}')
    shape = advice['shapes'][0]
    need((shape['len'], shape['cap'], shape['added'], shape['measured_as']) ==
         (finding['append']['old_len'], finding['append']['cap'], finding['append']['added'], 'string'), f'{shape}')
    check_shape(shape, concat=True)
    text, _ = advise(ctx, 'slices', path, '--rounds=1')
    need('slices.Concat' in text and 'Take ' in text and 'overwritten' in text, text)


@case
def slices_of_types_without_a_name(ctx):
    path, _ = report_of(ctx, 'bug_struct24')
    out, _ = advise(ctx, 'slices', path, '--json', '--rounds=1')
    for shape in json.loads(out)['shapes']:
        need(shape['measured_as'].startswith('struct {') and 'same size' in shape['notes'][0], f'{shape}')
        check_shape(shape, concat=True)


@case
def slices_of_another_release(ctx):
    path, _ = report_of(ctx, 'orders')
    release = RELEASES[0]
    out, _ = advise(ctx, 'slices', path, '--json', '--rounds=1', GOTOOLCHAIN='go' + release)
    advice = json.loads(out)
    need(advice['go'] == 'go' + release, f'measured with {advice["go"]}')
    check_shape(advice['shapes'][0], concat=False)


@case
def without_go_or_a_compiler(ctx):
    path, report = report_of(ctx, 'orders')
    _, said = advise(ctx, 'slices', path, code=3, PATH='/nonexistent')
    need('go: ' in said and 'https://go.dev/dl/' in said, said)
    # Names of a report are no Go source.
    finding = report['findings'][0]
    finding['array']['type'] = 'string; func init() { panic(1) }'
    path.write_text(json.dumps(report))
    out, _ = advise(ctx, 'slices', path, '--json', '--rounds=1')
    need(json.loads(out)['shapes'][0]['measured_as'].startswith('struct {'), out)


@case
def ended_by_a_signal(ctx):
    path, _ = report_of(ctx, 'orders')
    temporary = ctx.folder / 'tmp'
    temporary.mkdir(exist_ok=True)
    process = subprocess.Popen([str(ctx.options.geist), 'advise', 'slices', str(path), '--rounds=100'], stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, text=True, env=dict(os.environ, TMPDIR=str(temporary)))
    deadline = time.monotonic() + 60
    while not os.listdir(temporary) and time.monotonic() < deadline:
        time.sleep(0.05)
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    out, said = process.communicate(timeout=60)
    need(process.returncode == 3 and out == '' and 'ended by a signal' in said, f'exit {process.returncode}: {said}')
    need(not os.listdir(temporary), f'left {os.listdir(temporary)}')
