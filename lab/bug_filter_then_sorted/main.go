// The filter works in place on a slice that its caller goes on using, in a struct: the append has written over the first element
// before the caller sorts what was kept, in the same array.
package main

import (
	"fmt"
	"slices"
)

type order struct {
	id    string
	total int
}

type book struct{ orders []order }

//go:noinline
func large(orders []order) []order {
	kept := orders[:0]
	for _, o := range orders {
		if o.total >= 50 {
			kept = append(kept, o) // want: ghost-write victim=orders|b
		}
	}
	return kept
}

func main() {
	b := &book{orders: make([]order, 0, 8)}
	for i, total := range []int{30, 90, 40, 80, 70} {
		b.orders = append(b.orders, order{fmt.Sprint("n", i), total})
	}
	some := large(b.orders)
	sum := 0
	for _, o := range b.orders {
		sum += o.total
	}
	slices.SortFunc(some, func(a, b order) int { return a.total - b.total })
	fmt.Println("large:", some, "first of all:", b.orders[0].id)
	if sum != 310 {
		fmt.Println("WRONG:", sum)
		return
	}
	fmt.Println("OK")
}
