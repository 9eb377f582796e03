// The filter works in place on a slice that the caller goes on using, and sorts what it kept: the append has written over the
// second element before the sort moves anything.
package main

import (
	"fmt"
	"slices"
)

type order struct {
	id    string
	total int
}

//go:noinline
func large(orders []order) []order {
	kept := orders[:0]
	for _, o := range orders {
		if o.total >= 50 {
			kept = append(kept, o) // want: ghost-write victim=all|orders
		}
	}
	return kept
}

func main() {
	all := make([]order, 0, 8)
	for i, total := range []int{30, 90, 40, 80, 70} {
		all = append(all, order{fmt.Sprint("n", i), total})
	}
	some := large(all)
	sum := 0
	for _, o := range all {
		sum += o.total
	}
	slices.SortFunc(some, func(a, b order) int { return a.total - b.total })
	fmt.Println("large:", some, "first of all:", all[0].id)
	if sum != 310 {
		fmt.Println("WRONG:", sum)
		return
	}
	fmt.Println("OK")
}
