// A program with variables of every shape, for the test of DebugInfo: the test stops it in stop() and compares what the
// debug information says of the callers' variables with what is in memory. The sinks keep the variables alive across
// the stop; what they hold is written down in dwarf_live_test.cc.
package main

import "runtime"

type Names []string

type Inner struct {
	Items []int
	Title string
}

type Record struct {
	Inner Inner
	Next  *Record
	Funcs [4]func(int) int
	Index map[string][]int
	local struct{ a, b int }
}

type Pair[K comparable, V any] struct {
	Key K
	Val V
}

var (
	globalSlice  = []int{71, 72, 73}
	globalMap    = map[string]int{"one": 1}
	globalRecord Record
	globalNames  Names
	globalText   = "a global text"
	globalAny    any
	globalPair   Pair[string, int]

	sinkInts  []int
	sinkNames Names
	sinkTexts []string
	sinkText  string
	sinkFunc  func()
	sinkPtr   *[]int
	sinkPairs []Pair[string, int]
	sinkInt   int
)

func init() { runtime.LockOSThread() }

//go:noinline
func stop(name string) { sinkText = name }

//go:noinline
func count(n int) []int {
	s := make([]int, n, n+2)
	for i := range s {
		s[i] = i + 1
	}
	return s
}

// from is not inlined, so that its result exists from the call on.
//
//go:noinline
func from(s []int, n int) []int { return s[n:] }

//go:noinline
func params(a []int, s string, n Names, r Record) []int {
	stop("params")
	sinkInts, sinkText, sinkNames = a, s, n
	return append(r.Inner.Items, len(r.Inner.Title))
}

//go:noinline
func locals(k int) {
	x := count(k)
	y := append(x[:2], 70)
	tail := from(x, 1)
	stop("locals")
	sinkInts = x
	sinkInts = y
	sinkInts = tail
}

func innermost(deep []int) {
	stop("inlined")
	sinkInts = deep
}

func middle(xs []int) {
	innermost(xs)
	sinkInt = cap(xs)
}

//go:noinline
func inlined(outer []int) {
	middle(outer)
	sinkInts = outer
}

//go:noinline
func closures(byValue []int) {
	var byReference []int
	value := func(i int) {
		r := append(byValue, i)
		stop("by value")
		sinkInts = byValue
		sinkInts = r
	}
	reference := func(i int) {
		byReference = append(byReference, i)
		stop("by reference")
		sinkInts = byReference
	}
	sinkFunc = func() { value(9); reference(8) }
	sinkFunc()
	stop("closures")
	sinkInts = byReference
}

//go:noinline
func generic[E any](xs []E, v E, sink *[]E) {
	out := append(xs, v)
	stop("generic")
	*sink = out
	*sink = xs
}

//go:noinline
func escaping(n int) {
	escaped := count(n)
	sinkPtr = &escaped
	stop("escaping")
	sinkInts = escaped
}

//go:noinline
func blocks(xs []int) {
	shadowed := xs[:1]
	for _, element := range xs {
		shadowed := append(shadowed, element)
		if element == 3 {
			stop("blocks")
		}
		sinkInts = shadowed
	}
	sinkInts = shadowed
}

//go:noinline
func (r *Record) method(names ...string) {
	r.Inner.Items = append(r.Inner.Items, 6)
	stop("method")
	sinkTexts, sinkInts = names, r.Inner.Items
}

//go:noinline
func stackArray() {
	var array [4]int
	part := array[:2]
	part = append(part, 11)
	stop("stack array")
	sinkInt = part[2] + array[2] + len(part)
}

func main() {
	globalRecord.Inner = Inner{Items: count(2), Title: "title"}
	globalAny = globalRecord
	globalNames = Names{"first", "second"}
	params(count(3), "some text", Names{"n1", "n2", "n3"}, globalRecord)
	locals(3)
	inlined(count(3))
	closures(count(3))
	generic(count(2), 7, &sinkInts)
	generic([]string{"p"}, "q", &sinkTexts)
	generic([]Pair[string, int]{}, Pair[string, int]{"k", 1}, &sinkPairs)
	escaping(4)
	blocks(count(3))
	globalRecord.method("m1", "m2")
	stackArray()
	stop("globals")
	sinkInt = len(globalSlice) + len(globalMap) + len(globalText) + len(globalPair.Key)
}
