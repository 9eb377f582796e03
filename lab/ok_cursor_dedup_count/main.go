// Drops what is there twice, in place, and says how many are left: whoever has the slice is meant to see it.
//
// heal-changes: the ids are read through the slice that they were written into
package main

import (
	"fmt"
	"sort"
)

type index struct{ ids []int }

// compact drops repeated ids and says how many are left.
func compact(ids []int) int {
	out := ids[:0]
	for _, id := range ids {
		if len(out) == 0 || out[len(out)-1] != id {
			out = append(out, id)
		}
	}
	return len(out)
}

func main() {
	ix := &index{}
	for i := 0; i < 40; i++ {
		ix.ids = append(ix.ids, (i*7)%13)
	}
	sort.Ints(ix.ids)
	n := compact(ix.ids)
	sum := 0
	for i := 0; i < n; i++ {
		sum += ix.ids[i]
	}
	fmt.Println(n, sum, ix.ids[:n])
}
