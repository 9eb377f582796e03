// Sorted sets: intersection and difference are made in place in the first operand's array, union in a new one; each set is
// assigned to where its operand was.
package main

import (
	"fmt"
	"slices"
	"strings"
)

func intersect(a, b []string) []string {
	out := a[:0]
	for i := 0; i < len(a); i++ {
		if _, ok := slices.BinarySearch(b, a[i]); ok {
			out = append(out, a[i])
		}
	}
	return out
}

func subtract(a, b []string) []string {
	out := a[:0]
	for _, x := range a {
		if _, ok := slices.BinarySearch(b, x); !ok {
			out = append(out, x)
		}
	}
	slices.SortFunc(out, func(a, b string) int { return strings.Compare(b, a) })
	return out
}

func union(a, b []string) []string {
	out := make([]string, 0, len(a)+len(b))
	out = append(append(out, a...), b...)
	slices.Sort(out)
	return slices.Compact(out)
}

func main() {
	sets := map[string][]string{}
	for i := 0; i < 20; i++ {
		for _, key := range []string{"odd", "low", "all"} {
			s := sets[key]
			if key == "odd" && i%2 == 1 || key == "low" && i < 9 || key == "all" {
				s = union(s, []string{fmt.Sprintf("e%02d", i)})
			}
			sets[key] = s
		}
		if i%5 == 4 {
			sets["low"] = intersect(sets["low"], sets["all"])
			sets["odd"] = subtract(sets["odd"], []string{"e03", "e11"})
			slices.Sort(sets["odd"])
			fmt.Println(sets["odd"], sets["low"], len(sets["all"]))
		}
	}
}
