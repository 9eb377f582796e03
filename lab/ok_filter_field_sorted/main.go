// A filter in place that may keep everything: the result goes to the variable that was filtered, is
// sorted through an interface, and only then to the field it came from.
package main

import (
	"fmt"
	"sort"
)

type tab struct {
	rows []int
	free []int
}

func (t *tab) keep(p func(int) bool) {
	rows := t.rows
	kept := rows[:0]
	for _, r := range rows {
		if p(r) {
			kept = append(kept, r)
		}
	}
	rows = kept
	sort.Sort(sort.Reverse(sort.IntSlice(rows)))
	t.rows = rows
}

//go:noinline
func sum(x []int) (s int) {
	for i, v := range x {
		s += v * (i + 1)
	}
	return
}

func main() {
	t := &tab{}
	for i := 0; i < 12; i++ {
		t.rows = append(t.rows, i*7%5)
	}
	t.keep(func(i int) bool { return true })
	fmt.Println(sum(t.rows))
	t.keep(func(i int) bool { return i != 3 })
	fmt.Println(sum(t.rows))
}
