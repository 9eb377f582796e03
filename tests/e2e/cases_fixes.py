"""The fix of a report: `fixes/…`. It is tried before it is shown, stands in the module's own code, and makes the program right."""
import os

import registry
from watched import Failure, brief, run

case = registry.group('fixes')

DELETES = '''package main

import (
	"fmt"
	"slices"
	"strings"
)

func main() {
	all := strings.Fields("ann bob cyd dee eve")
	kept := slices.Delete(all, 0, 1)
	if fmt.Println(len(kept)); all[0] != "ann" {
		fmt.Println("WRONG", all[0])
		return
	}
	fmt.Println("OK")
}
'''

USES_DEPENDENCY = '''package main

import (
	"fmt"
	"strings"

	"example.com/dep"
)

func main() {
	first := append(make([]string, 0, 8), strings.Fields("a b c d")...)
	short := dep.Without(first, 1)
	if fmt.Println(len(short), short[0]); first[1] != "b" {
		fmt.Println("WRONG", first[1])
		return
	}
	fmt.Println("OK")
}
'''

DEPENDENCY = '''package dep

//go:noinline
func Without(list []string, i int) []string {
	return append(list[:i], list[i+1:]...)
}
'''

GROWS = '''package main

import "fmt"

//go:noinline
func add(to []string, word string) []string {
	return append(to, word)
}

func main() {
	base := append(make([]string, 0, 4), "x")
	one := add(base, "one")
	two := add(base, "two")
	if fmt.Println(two); one[1] != "one" {
		fmt.Println("WRONG", one[1])
		return
	}
	fmt.Println("OK")
}
'''


def write(ctx, **files):
    """Files of a folder of the case, by name with __ for / and _dot_ for a dot."""
    root = ctx.folder / 'module'
    for name, text in files.items():
        path = root / name.replace('__', '/').replace('_dot_', '.')
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def build(root, env=None):
    ended = run(['go', 'build', '-o', root.parent / 'program', '.'], cwd=root, env=env)
    if ended.code != 0:
        raise Failure(f'go build: {brief(ended.err.decode())}')
    return root.parent / 'program'


def only_finding(ctx, binary, root):
    found = ctx.watch.run([binary], flags=['--no-store', '--exitcode=0'], cwd=root).report['findings']
    if len(found) != 1:
        raise Failure(f'{len(found)} findings, not one')
    return found[0]


def expect(name, got, wanted):
    if got != wanted:
        raise Failure(f'{name}: {got!r}, not {wanted!r}')


def check_makes_right(finding, root, env=None):
    """The diff applies to the module, and the program says OK."""
    (root.parent / 'fix.diff').write_text(finding['fix_diff'])
    ended = run(['patch', '-p1', '-i', root.parent / 'fix.diff'], cwd=root)
    if ended.code != 0:
        raise Failure(f'patch: {brief(ended.out.decode())}')
    ended = run([build(root, env)], cwd=root)
    if 'OK' not in ended.out.decode():
        raise Failure(f'with the fix it says {brief(ended.out.decode())}')


@case
def of_the_library_is_in_the_caller(ctx):
    root = write(ctx, go_dot_mod='module m\n\ngo 1.21\n', main_dot_go=DELETES)
    finding = only_finding(ctx, build(root), root)
    expect('fix', finding['fix'], 'slices.Delete(slices.Clone(all), 0, 1)')
    expect('file', finding['fix_file'].split('/')[-1], 'main.go')
    expect('compiles', finding['fix_compiles'], True)
    check_makes_right(finding, root)


@case
def of_a_dependency_is_in_the_caller(ctx):
    root = write(ctx, go_dot_mod='module m\n\ngo 1.21\n\nrequire example.com/dep v1.0.0\n', main_dot_go=USES_DEPENDENCY,
                 vendor__modules_dot_txt='# example.com/dep v1.0.0\n## explicit; go 1.21\nexample.com/dep\n',
                 vendor__example_dot_com__dep__dep_dot_go=DEPENDENCY)
    finding = only_finding(ctx, build(root), root)
    expect('fix', finding['fix'], 'dep.Without(slices.Clone(first), 1)')
    expect('elsewhere', finding['fix_elsewhere'], 'in example.com/dep (dep.go:5): append(list[:i:i], list[i+1:]...)')
    expect('compiles', finding['fix_compiles'], True)
    check_makes_right(finding, root)


@case
def that_does_not_compile_is_no_diff(ctx):
    """Another file of the package says what len is: nothing that one file tells."""
    root = write(ctx, go_dot_mod='module m\n\ngo 1.21\n', main_dot_go=GROWS,
                 other_dot_go='package main\n\nfunc len(a, b int) string { return "no" }\n\nvar _ = len(1, 2)\n')
    finding = only_finding(ctx, build(root), root)
    expect('compiles', finding['fix_compiles'], False)
    expect('diff', finding['fix_diff'], None)
    if not finding['fix']:
        raise Failure('no words either')


@case
def without_a_module_is_a_diff_of_the_folder(ctx):
    env = {**os.environ, 'GO111MODULE': 'off', 'GOFLAGS': ''}
    root = write(ctx, main_dot_go=GROWS)
    finding = only_finding(ctx, build(root, env), root)
    if '+++ b/main.go' not in str(finding['fix_diff']):
        raise Failure(f'the diff is {finding["fix_diff"]!r}')
    check_makes_right(finding, root, env)
