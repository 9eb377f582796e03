// Two elements that appends have put behind a made length change places, while a view of them is
// held: the swap is two stores with constant offsets, as appends of that length would be.
package main

import "fmt"

type job struct {
	name string
	rank int
}

type board struct{ all, late []job }

var current *board

//go:noinline
func first(b *board) string {
	current = b
	return b.late[0].name
}

func main() {
	all := make([]job, 1, 6)
	all[0] = job{"start", 0}
	all = append(all, job{"lint", 2}, job{"build", 1})
	b := &board{all, all[1:3]}
	before := first(b)
	all[1], all[2] = all[2], all[1]
	if after := first(b); before != "lint" || after != "build" {
		fmt.Println("WRONG", before, after)
		return
	}
	fmt.Println("OK")
}
