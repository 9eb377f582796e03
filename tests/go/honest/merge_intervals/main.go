// Intervals are sorted, and those that touch merged in place; the result replaces the list, round after round.
package main

import (
	"fmt"
	"slices"
	"sort"
)

type span struct {
	from, to int
	who      []string
}

type calendar struct{ spans []span }

func (c *calendar) add(s span) {
	spans := append(c.spans, s)
	slices.SortFunc(spans, func(a, b span) int { return a.from - b.from })
	out := spans[:0]
	for i := 0; i < len(spans); i++ {
		s := spans[i]
		if n := len(out); n > 0 && out[n-1].to >= s.from {
			out[n-1].to = max(out[n-1].to, s.to)
			out[n-1].who = append(out[n-1].who, s.who...)
			continue
		}
		out = append(out, s)
	}
	c.spans = out
	sort.SliceStable(c.spans, func(i, j int) bool { return c.spans[i].to < c.spans[j].to })
}

func main() {
	c := &calendar{}
	for i := 0; i < 60; i++ {
		from := i * 7919 % 997
		c.add(span{from, from + 3 + i%11, []string{fmt.Sprint("w", i)}})
		if i%6 == 0 {
			fmt.Println(c.spans)
		}
	}
	free := 0
	for i := 1; i < len(c.spans); i++ {
		free += c.spans[i].from - c.spans[i-1].to
	}
	fmt.Println(len(c.spans), free)
}
