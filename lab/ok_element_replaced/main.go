// A row with room is extended, a view of its tail is handed out, and an element is then assigned by
// its index. Where the length is known when compiling, that assignment is the same store as an
// append's: only the source tells them apart. It is meant to be seen through every view.
package main

import "fmt"

type table struct{ row, totals []int }

var shown *table

//go:noinline
func show(t *table) int {
	shown = t
	return t.totals[0] + t.row[0]
}

func main() {
	row := make([]int, 3, 8)
	row[0], row[1], row[2] = 1, 2, 3
	row = append(row, 6, 20)
	t := &table{row: row, totals: row[3:]}
	before := show(t)
	row[3] = 9
	if after := show(t); before != 7 || after != 10 {
		fmt.Println("WRONG", before, after)
		return
	}
	fmt.Println("OK")
}
