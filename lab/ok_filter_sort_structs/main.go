// The fields of a record are sorted by name, those that another one hides are dropped in place, `fields = out`, and the
// rest is sorted back by position. Nothing but fields is used after the assignment: whether an append wrote into the old
// array or into a copy, fields is what append returned.
package main

import (
	"fmt"
	"slices"
	"strings"
)

type field struct {
	name  string
	index []int
	typ   *string
}

func visible(text string) []field {
	kind := "text"
	var fields []field
	for i, name := range strings.Fields(text) {
		fields = append(fields, field{name, []int{i}, &kind})
	}
	slices.SortFunc(fields, func(a, b field) int {
		if c := strings.Compare(a.name, b.name); c != 0 {
			return c
		}
		return slices.Compare(a.index, b.index)
	})
	out := fields[:0]
	for advance, i := 0, 0; i < len(fields); i += advance {
		f := fields[i]
		for advance = 1; i+advance < len(fields) && fields[i+advance].name == f.name; advance++ {
		}
		if advance == 1 {
			out = append(out, f)
		}
	}
	fields = out
	slices.SortFunc(fields, func(a, b field) int { return slices.Compare(a.index, b.index) })
	return fields
}

func main() {
	for _, c := range [][2]string{
		{"zeta yank alpha", "zeta yank alpha"},
		{"q m k b", "q m k b"},
		{"one two one three", "two three"},
		{"f e d c b a f", "e d c b a"},
	} {
		var names []string
		for _, f := range visible(c[0]) {
			names = append(names, f.name+*f.typ)
		}
		if got := strings.ReplaceAll(strings.Join(names, " "), "text", ""); got != c[1] {
			fmt.Println("WRONG:", got)
			return
		}
	}
	fmt.Println("OK")
}
