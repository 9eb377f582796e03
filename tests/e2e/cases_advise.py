"""geist advise measures what it says: every variant did its work, and bad input ends with a sentence and leaves nothing behind. How fast
something is depends on the machine, so only the slow one asks for it."""
import json
import os
import signal
import subprocess
import time

import registry
from attached import Program
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
    done = subprocess.run([str(ctx.options.geist), 'advise', *map(str, words)], capture_output=True, text=True, timeout=timeout,
                          cwd=folder or ctx.folder, env=dict(os.environ, TMPDIR=str(temporary), **environment))
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


def figure(value):
    """As geist writes it."""
    return f'{value:.0f}' if value >= 100 or value == int(value) else f'{value:.1f}' if value >= 10 else f'{value:.2f}'


KINDS = ['mutex', 'rwmutex', 'sync_map', 'shards', 'rw_shards']


def check_maps(advice, reads, updates, inserts, deletes, ranges, keys):
    need([kind['name'] for kind in advice['kinds']] == KINDS, f'{advice["kinds"]}')
    total, operations = reads + updates + inserts + deletes + ranges, advice['operations']
    first = advice['kinds'][0]
    for kind in advice['kinds']:
        need(kind['ns_low'] > 0 and kind['ns_low'] <= kind['ns_per_op'] <= kind['ns_high'], f'{kind}')
        need((kind['hits'], kind['entries']) == (first['hits'], first['entries']), f'other work: {kind} and {first}')
    # Every read finds its key; the proportions are those of the mix.
    need(abs(first['hits'] / operations - reads / total) < 0.01, f'{first["hits"]} reads of {operations} operations')
    grown = operations * (inserts - deletes) / total
    need(abs(first['entries'] - keys - grown) <= 0.02 * operations + 8, f'{first["entries"]} entries, expected about {keys + grown}')
    low = next(kind['ns_low'] for kind in advice['kinds'] if kind['name'] == advice['take'])
    need(f'{figure(low)} ns an operation' in advice['sentence'], f'{low} is not in: {advice["sentence"]}')


@case
def maps_under_a_mix(ctx):
    for mix, keys, words in (((95, 5, 0, 0, 0), 1024, ['--mix=95/5/0']), ((50, 20, 20, 10, 0), 100, ['--mix=50/20/20/10', '--keys=100', '--key=int']),
                             ((95, 5, 0, 0, 0), 1024, []), ((8, 1, 0, 0, 1), 64, ['--mix=8/1/0/0/1', '--keys=64', '--goroutines=3'])):
        out, _ = advise(ctx, 'maps', *words, '--json', '--rounds=1')
        advice = json.loads(out)
        need(advice['mix']['from'] == ('--mix' if words else 'assumed; --mix gives another'), f'{advice["mix"]}')
        need(advice['goroutines'] == (3 if '--goroutines=3' in words else 8), f'{advice["goroutines"]} goroutines')
        check_maps(advice, *mix, keys)
    text, _ = advise(ctx, 'maps', '--rounds=1')
    need('sync.Map' in text and 'Take ' in text and 'assumed' in text, text)


@case
def maps_of_a_report(ctx):
    path, _ = report_of(ctx, 'orders')
    out, _ = advise(ctx, 'maps', path, '--json', '--rounds=1', '--mix=1/1/0')
    need(json.loads(out)['mix']['reads'] == 1, out)
    for bad in ('5', '5/5', 'a/b/c', '0/0/0', '1/1/1/2'):
        advise(ctx, 'maps', f'--mix={bad}', code=3)
    advise(ctx, 'maps', '/nonexistent.json', code=3)
    advise(ctx, 'maps', code=3, PATH='/nonexistent')


def counted_for_advice(ctx, *words, **more):
    """The mix that was measured, as shares of the reads, and what it was counted of."""
    out, said = advise(ctx, 'maps', *words, '--json', '--rounds=1', **more)
    advice = json.loads(out)
    mix = advice['mix']
    check_maps(advice, *(mix[name] for name in ('reads', 'updates', 'inserts', 'deletes', 'ranges')), advice['keys'])
    return advice, said


@case
def maps_that_were_counted(ctx):
    """The mix, the keys and the goroutines of a map of tests/go/map_mix, which says what it does: run, from a report, attached."""
    binary = ctx.build('map_mix')
    advice, said = counted_for_advice(ctx, binary)
    mix = advice['mix']
    need((mix['reads'], mix['updates'], mix['inserts'], mix['deletes'], mix['ranges']) == (14400, 1600, 64, 0, 5), f'{mix}')
    need((mix['from'], advice['goroutines'], advice['keys'], advice['key']) == ('counted of main.prices', 9, 64, 'string'), f'{advice}')
    need('{"name":"main.prices"' in said, f'the program printed {said!r}')
    path = ctx.folder / 'mix.json'
    subprocess.run([str(ctx.options.geist), 'run', '--mix', '--no-store', '--log=/dev/null', f'--report=json:{path}', '--', str(binary)],
                   capture_output=True, timeout=120, check=True)
    desk, _ = counted_for_advice(ctx, path, '--map=main.front.open', '--goroutines=5')
    need((desk['mix']['from'], desk['goroutines'], desk['key']) == ('counted of main.front.open', 5, 'int'), f'{desk}')
    need(desk['mix']['deletes'] * 2 == desk['mix']['inserts'] > 0 == desk['mix']['updates'], f'{desk["mix"]}')
    text, _ = advise(ctx, 'maps', path, '--rounds=1')
    need('counted of main.prices' in text and '--map: main.front.open, main.grid' in ' '.join(text.split()), text)
    _, said = advise(ctx, 'maps', path, '--map=main.no', code=3)
    need('no map main.no was used' in said and 'main.prices' in said, said)


@case
def maps_of_a_process(ctx):
    with Program([ctx.build('map_mix'), 'serve']) as server:
        advice, _ = counted_for_advice(ctx, server.pid, '--for=1s')
        server.must_end_well()
    mix = advice['mix']
    need((mix['from'], advice['goroutines'], advice['keys']) == ('counted of main.prices', 4, advice['keys']), f'{advice}')
    need(0.9 <= 18 * mix['updates'] / mix['reads'] <= 1.1, f'{mix}')
    need(64 <= advice['keys'] <= 68, f'{advice["keys"]} keys')


@case
def maps_of_nothing(ctx):
    """One sentence each, in time."""
    path, _ = report_of(ctx, 'orders')
    for words, code, text in (((path,), 3, 'nothing has counted'), (('no_such_process_anywhere',), 3, 'no_such_process_anywhere'),
                              (('./no/such',), 127, './no/such'), (('/etc/hostname',), 3, '/etc/hostname'),
                              (('999999999',), 3, '999999999'), ((path, 'more'), 3, 'unexpected "more"')):
        _, said = advise(ctx, 'maps', *words, code=code)
        need(text in said, said)


HAND_WRITTEN = """package hand

import (
	"strconv"
	"sync"
	"testing"
)

const size, workers = 1024, 8

var names []string

func init() {
	for i := 0; i < size; i++ {
		names = append(names, "key-"+strconv.Itoa(i))
	}
}

func share(b *testing.B, read, write func(k string, v int)) {
	for i, k := range names {
		write(k, i)
	}
	b.ResetTimer()
	var wg sync.WaitGroup
	for g := 0; g < workers; g++ {
		wg.Add(1)
		go func(g int) {
			defer wg.Done()
			r := uint32(g + 1)
			for i := 0; i < b.N/workers; i++ {
				r = r*1664525 + 1013904223
				k := names[int(r>>8)%size]
				if i%20 == 0 {
					write(k, i)
				} else {
					read(k, i)
				}
			}
		}(g)
	}
	wg.Wait()
}

func BenchmarkMutex(b *testing.B) {
	var l sync.Mutex
	m := map[string]int{}
	share(b, func(k string, _ int) { l.Lock(); _ = m[k]; l.Unlock() }, func(k string, v int) { l.Lock(); m[k] = v; l.Unlock() })
}

func BenchmarkRwmutex(b *testing.B) {
	var l sync.RWMutex
	m := map[string]int{}
	share(b, func(k string, _ int) { l.RLock(); _ = m[k]; l.RUnlock() }, func(k string, v int) { l.Lock(); m[k] = v; l.Unlock() })
}

func BenchmarkSync_map(b *testing.B) {
	var m sync.Map
	share(b, func(k string, _ int) { m.Load(k) }, func(k string, v int) { m.Store(k, v) })
}
"""


def maps_as_a_hand_written_benchmark(ctx):
    """On a machine that does nothing else. Both sides in turns, and the fastest round of each."""
    folder = ctx.folder / 'hand'
    folder.mkdir()
    (folder / 'go.mod').write_text('module hand\n\ngo 1.21\n')
    (folder / 'hand_test.go').write_text(HAND_WRITTEN)
    subprocess.run(['go', 'test', '-c', '-o', 'hand.test', '.'], cwd=folder, check=True, timeout=300)
    worst = {}
    for _ in ctx.attempts(4):
        ours, theirs = {}, {}
        for _ in range(4):
            out, _ = advise(ctx, 'maps', '--mix=95/5/0', '--goroutines=8', '--json', '--rounds=8')
            for kind in json.loads(out)['kinds']:
                ours.setdefault(kind['name'], []).append(kind['ns_low'])
            for _ in range(8):
                said = subprocess.run(['./hand.test', '-test.bench=.', '-test.benchtime=200000x'], cwd=folder, capture_output=True, text=True,
                                      timeout=120).stdout
                for line in said.splitlines():
                    if line.startswith('Benchmark'):
                        words = line.split()
                        theirs.setdefault(words[0].split('-')[0][9:].lower(), []).append(float(words[2]))
        worst = {name: min(ours[name]) / min(theirs[name]) for name in theirs}
        if all(1 / 1.15 <= ratio <= 1.15 for ratio in worst.values()):
            return ', '.join(f'{name} {ratio:.2f}' for name, ratio in worst.items())
    raise Failure(f'geist / hand-written: {worst}')


registry.group('advise', slow=True, alone=True)(maps_as_a_hand_written_benchmark)

ESCAPING = """package main

import (
	"os"
	"runtime"
	"runtime/pprof"
)

type order struct{ id, sum int64 }

var kept []*order

func one(i int64) *order {
	o := order{i, i}
	return &o
}

var lists [][]int64

func main() {
	runtime.MemProfileRate = 1
	for i := int64(0); i < 1000; i++ {
		kept = append(kept, one(i))
	}
	for i := 0; i < 10; i++ {
		lists = append(lists, make([]int64, 100000))
	}
	file, _ := os.Create(os.Args[1])
	pprof.Lookup("allocs").WriteTo(file, 0)
	file.Close()
}
"""


@case
def escapes_by_bytes(ctx):
    folder = ctx.folder / 'escaping'
    folder.mkdir()
    (folder / 'go.mod').write_text('module x.example/escaping\n\ngo 1.21\n')
    (folder / 'main.go').write_text(ESCAPING)
    lines = {text.strip(): number for number, text in enumerate(ESCAPING.splitlines(), 1)}
    makes = lines['lists = append(lists, make([]int64, 100000))']
    moved = lines['o := order{i, i}']
    out, _ = advise(ctx, 'escape', '.', '--json', folder=folder)
    listed = json.loads(out)
    need(listed['profile'] is None and '-memprofile' in listed['sentence'], out)
    rows = {row['line']: row for row in listed['lines']}
    need(any(e['kind'] == 'moved' and e['what'] == 'o' and 'return &o' in (e['why'] or '') for e in rows[moved]['escapes']), f'{rows.get(moved)}')
    need(all(row['bytes'] is None for row in listed['lines']), out)
    for flags in ([], ['-trimpath']):
        subprocess.run(['go', 'build', *flags, '-o', 'prog', '.'], cwd=folder, check=True, timeout=300)
        subprocess.run(['./prog', 'allocs.pb.gz'], cwd=folder, check=True, timeout=60)
        out, _ = advise(ctx, 'escape', folder, '--profile', folder / 'allocs.pb.gz', '--json')
        joined = json.loads(out)
        first = joined['lines'][0]
        need(first['line'] == makes and 8_000_000 <= first['bytes'] < 9_000_000, f'{flags}: {first}')
        need(any('make([]int64, 100000)' in e['what'] for e in first['escapes']), f'{first}')
        sizes = [row['bytes'] for row in joined['lines']]
        need(sizes == sorted(sizes, reverse=True), f'{sizes}')
        need(0 < sum(sizes) <= joined['profile']['in_packages'] <= joined['profile']['total'], f'{joined["profile"]}')
        need(f'main.go:{makes}' in joined['sentence'], joined['sentence'])
    text, _ = advise(ctx, 'escape', folder, '--profile', folder / 'allocs.pb.gz')
    need(f'main.go:{makes}' in text and 'Begin' not in text, text)
    need(sorted(os.listdir(folder)) == ['allocs.pb.gz', 'go.mod', 'main.go', 'prog'], f'{os.listdir(folder)}')


@case
def escapes_of_what_is_none(ctx):
    folder = ctx.folder / 'broken'
    folder.mkdir()
    (folder / 'go.mod').write_text('module x.example/broken\n\ngo 1.21\n')
    (folder / 'main.go').write_text('package main\n\nfunc main() { undefined_thing() }\n')
    _, said = advise(ctx, 'escape', '.', code=3, folder=folder)
    need('does not build' in said and 'undefined_thing' in said, said)
    advise(ctx, 'escape', './gone', code=3, folder=folder)
    advise(ctx, 'escape', '.', code=3, folder=folder, PATH='/nonexistent')
    (folder / 'main.go').write_text('package main\n\nfunc main() {}\n')
    (folder / 'page.html').write_text('<html>')
    for profile in ('page.html', 'gone.pb.gz'):
        advise(ctx, 'escape', '.', '--profile', profile, code=3, folder=folder)
    out, _ = advise(ctx, 'escape', '.', folder=folder)
    need('moves nothing' in out, out)
