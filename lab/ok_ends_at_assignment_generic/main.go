// A generic set with pointer receivers: the method takes its slice into a local, filters it in place, sorts the result, and the
// field is assigned in between. The local with the old header is dead by then, and its words are spill slots.
package main

import (
	"cmp"
	"fmt"
	"slices"
)

type set[T cmp.Ordered] struct {
	all    []T
	closed bool
}

func (s *set[T]) without(bad T) {
	all := s.all
	out := all[:0]
	for _, x := range all {
		if fmt.Sprint(x) != fmt.Sprint(bad) {
			out = append(out, x)
		}
	}
	all = out
	s.all = all
	slices.Sort(s.all)
	slices.Reverse(s.all)
}

func main() {
	words := &set[string]{all: []string{"ab", "cd", "ef", "gh", "ij"}}
	floats := &set[float64]{all: []float64{1.5, 2.5, 3.5, 4.5}}
	for _, c := range []struct {
		word  string
		float float64
		want  string
	}{
		{"", 0, "[ij gh ef cd ab] [4.5 3.5 2.5 1.5]"},
		{"gh", 1.5, "[ij ef cd ab] [4.5 3.5 2.5]"},
		{"ij", 4.5, "[ef cd ab] [3.5 2.5]"},
	} {
		words.without(c.word)
		floats.without(c.float)
		if got := fmt.Sprint(words.all, floats.all); got != c.want {
			fmt.Println("WRONG:", got)
			return
		}
	}
	fmt.Println("OK")
}
