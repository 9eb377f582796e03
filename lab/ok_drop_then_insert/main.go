// slices.Delete moves the rest down and the variable takes what it returns, of the same array and another length; slices.Insert
// reads and moves it again. Nothing reads the former length.
package main

import (
	"fmt"
	"slices"
)

type route struct {
	stops []string
	edits int
}

//go:noinline
func (r *route) detour(i int, by ...string) {
	stops := r.stops
	stops = slices.Delete(stops, i, i+2)
	r.edits++
	stops = slices.Insert(stops, i, by...)
	r.stops = stops
}

func main() {
	words := make([]string, 0, 16)
	for round := 0; round < 20; round++ {
		words = words[:0]
		for i := 0; i < 6; i++ {
			words = append(words, fmt.Sprint("k", i))
		}
		words = slices.Delete(words, 1, 3)
		words = slices.Insert(words, 1, "x")
		r := &route{stops: slices.Clone(words)}
		r.detour(2, "y")
		if got := fmt.Sprint(words, r.stops, r.edits); got != "[k0 x k3 k4 k5] [k0 x y k5] 1" {
			fmt.Println("WRONG:", got)
			return
		}
	}
	fmt.Println("OK")
}
