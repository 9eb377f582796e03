"""What each program of programs.tsv is given to do: a function makes the input in a folder, always the same bytes, and returns
the arguments of the runs, one list each. {name} in an argument is the folder. What a run prints is compared whole."""
import json
import random
import shutil
import subprocess
from pathlib import Path


def goroot():
    return Path(subprocess.run(['go', 'env', 'GOROOT'], capture_output=True, text=True, check=True).stdout.strip())


def gofmt(_):
    return [['-s', '-l', str(goroot() / 'src')]]


def gojq(folder):
    r = random.Random(11)
    rows = [{'id': i, 'team': f't{r.randrange(300)}', 'marks': [r.randrange(1000) for _ in range(r.randrange(8))],
             'text': ' '.join(r.choice('lorem ipsum dolor sit amet'.split()) for _ in range(9))} for i in range(120000)]
    (folder / 'in.json').write_text(json.dumps(rows))
    return [['-c', 'group_by(.team) | map({team: .[0].team, sum: (map(.marks | add // 0) | add), words: (map(.text | split(" ")) | add '
             '| unique)}) | sort_by(.sum) | .[]', str(folder / 'in.json')]]


def shfmt(folder):
    r = random.Random(12)
    lines = ['if [ $x -gt {} ] ; then echo "$(ls|wc -l)" >&2;fi', 'for i in {{1..{}}} ; do x[$i]=$((i*{}+${{#y}})) ; done',
             'case $v in a|b) f "$@" ;; *) g{} ;; esac', 'f{}() {{ while read -r l; do echo "${{l//a/b}}"; done < <(cat "$@") ; }}',
             'cat <<EOF | tee /dev/null\nvalue $(({}))\nEOF']
    files = []
    for i in range(60):
        files.append(folder / f's{i}.sh')
        files[-1].write_text('#!/bin/bash\n' + '\n'.join(r.choice(lines).format(k, k) for k in range(1500)) + '\n')
    return [['-s', '-i', '2', '-ci', *map(str, files)]]


def jsonnet(folder):
    (folder / 'in.jsonnet').write_text('''
local r = [std.floor(std.abs(std.sin(i * 78.233)) * 1e6) for i in std.range(1, 9000)];
local base = { n:: 1, name: 'x' + self.n, twice: self.n * 2, deep: { of: $.name } };
{ sorted: std.md5(std.join(',', [std.toString(x) for x in std.sort(r)])), set: std.length(std.set(r)),
  folded: std.foldl(function(acc, x) acc + { [std.toString(x % 11)]+: 1 }, r[:400], { [std.toString(i)]: 0 for i in std.range(0, 10) }),
  all: [std.manifestJsonMinified(base { n: i }) for i in std.range(1, 2500)],
  text: std.md5(std.join('', ['%05d|%s|%.2f' % [i, std.asciiUpper('k' + i), i / 3] for i in std.range(1, 5000)])) }
''')
    return [['-s', '3000', str(folder / 'in.jsonnet')]]


def yq(folder):
    r = random.Random(13)
    text = ['base: &base {replicas: 2, zone: a}', 'services:']
    for i in range(5000):
        text += [f'  - name: s{r.randrange(10**6)}  # number {i}', '    <<: *base', f'    image: repo/i{i % 97}:{i % 9}', '    notes: |',
                 f'      one of {i}', '      two']
    (folder / 'in.yaml').write_text('\n'.join(text) + '\n')
    return [['-o=json', '-I=0', 'explode(.) | .services |= sort_by(.name) | .services[]', str(folder / 'in.yaml')],
            ['.services[] |= (.ports = [80, 443]) | .base.replicas = 3', str(folder / 'in.yaml')]]


def yaegi(folder):
    (folder / 'p.go').write_text('''package main

import (
	"fmt"
	"sort"
	"strings"
)

type shape interface{ area() int }
type box struct{ w, h int }

func (b box) area() int { return b.w * b.h }

func main() {
	var primes []int
	for i, c := 2, make([]bool, 300000); i < len(c); i++ {
		if !c[i] {
			primes = append(primes, i)
			for j := 2 * i; j < len(c); j += i {
				c[j] = true
			}
		}
	}
	seen := map[string]int{}
	var shapes []shape
	for i := 0; i < 60000; i++ {
		seen[fmt.Sprintf("k%d", i*7919%1013)]++
		shapes = append(shapes[:i%5000], box{i, i + 1})
	}
	keys := []string{}
	for k, v := range seen {
		keys = append(keys, fmt.Sprint(k, "=", v))
	}
	sort.Strings(keys)
	total := 0
	for _, s := range shapes {
		total += s.area()
	}
	fmt.Println(len(primes), len(strings.Join(keys, " ")), total)
}
''')
    return [['run', str(folder / 'p.go')]]


def esbuild(folder):
    r = random.Random(15)
    for i in range(500):
        text = [f'import {{f{d} as d{d}}} from "./m{d}"' for d in sorted({r.randrange(i) for _ in range(3)} if i else set())]
        text.append(f'export interface I{i}<T extends object> {{ a: number; b?: T[] }}\nexport enum E{i} {{ A, B = "x{i}" }}')
        text.append(f'export function f{i}(x: number, ...rest: number[]): number {{')
        text += [f'  const v{j} = (x * {r.randrange(999)}) | 0, {{a{j} = v{j}, ...o{j}}} = {{b: `t${{v{j}}}`, c: [...rest, v{j}]}} as any; '
                 f'if (a{j} !== o{j}) x += rest?.[{j}] ?? 1' for j in range(60)]
        (folder / f'm{i}.ts').write_text('\n'.join(text) + '\n  return x\n}\n')
    (folder / 'main.ts').write_text('\n'.join(f'import * as n{i} from "./m{i}"; console.log(n{i})' for i in range(500)))
    return [[str(folder / 'main.ts'), '--bundle', '--minify', '--sourcemap=inline', '--target=es2017', '--log-level=error']]


def cue(folder):
    r = random.Random(16)
    (folder / 'schema.cue').write_text('''package gate

#Item: {
	name:  string
	count: *1 | int & >=0
	kind:  "a" | "b" | *"c"
	ports: [...int & <70000]
	label: "\\(name)-\\(kind)"
}
items: [string]: #Item
kinds: {for k in ["a", "b", "c"] {(k): [for n, s in items if s.kind == k {s.label}]}}
''')
    rows = [f'items: i{i}: {{name: "n{i}", ports: {[r.randrange(9999) for _ in range(3)]}' +
            (f', kind: "{r.choice("ab")}"' if i % 3 else '') + '}' for i in range(4000)]
    (folder / 'data.cue').write_text('package gate\n\n' + '\n'.join(rows) + '\n')
    return [['export', '--out', 'json', str(folder / 'schema.cue'), str(folder / 'data.cue')]]


def bbolt(folder):
    """The results are times; only the counts are the same in each run, so standard output is not compared: see SILENT."""
    return [['bench', '--path', str(folder / 'db'), '--count', '60000', '--batch-size', '500', '--write-mode', 'rnd']]


def staticcheck(folder):
    source = goroot() / 'src'
    for package in ('text/tabwriter', 'text/template/parse', 'encoding/csv', 'container/list', 'encoding/hex'):
        (folder / 'mod' / package).mkdir(parents=True)
        for file in (source / package).glob('*.go'):
            if not file.name.endswith('_test.go'):
                shutil.copy(file, folder / 'mod' / package)
    (folder / 'mod' / 'go.mod').write_text('module example.org/copy\n\ngo 1.24\n')
    return [['-checks', 'all', '-fail', 'none', './...']]


def caddy(folder):
    """A configuration read, adapted and checked, many times: the server itself is loaded in the attach tests."""
    sites = [f'site{i}.example:{8000 + i} {{\n\ttls internal\n\theader X-A{i} "b"\n\trewrite /a{i}/* /b{{uri}}\n\thandle /x{i}/* {{\n\t\trespond "{i}"\n\t}}\n'
             f'\tencode gzip\n\tfile_server browse\n}}\n' for i in range(400)]
    (folder / 'Caddyfile').write_text(''.join(sites))
    return [['adapt', '--config', str(folder / 'Caddyfile')], ['fmt', str(folder / 'Caddyfile')]]


WORKLOADS = {f.__name__: f for f in (gofmt, gojq, shfmt, jsonnet, yq, yaegi, esbuild, cue, bbolt, staticcheck, caddy)}
SILENT = {'bbolt'}            # prints times
IN_FOLDER = {'staticcheck': 'mod'}
