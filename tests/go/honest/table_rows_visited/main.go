// The rows of a table are written by a visitor, a closure that appends to the row; nobody looks at the row itself.
// heal-changes: whoever has the table is meant to see what is written
package main

import "fmt"

type table struct {
	cells []int
	w     int
}
type emitter interface{ emit(f func(int)) }
type seq struct{ from, n int }

func (s seq) emit(f func(int)) {
	for i := 0; i < s.n; i++ {
		f(s.from + i)
	}
}

func (t *table) put(y int, e emitter) {
	row := t.cells[y*t.w : y*t.w]
	e.emit(func(v int) { row = append(row, v) })
}
func main() {
	t := &table{cells: make([]int, 40), w: 8}
	var e []emitter
	for i := 0; i < 5; i++ {
		e = append(e, seq{i * 10, 8})
	}
	for r := 0; r < 50; r++ {
		for y, x := range e {
			e[y] = seq{r + y, 8}
			t.put(y, x)
		}
		for y := range e {
			if r > 0 && t.cells[y*8+7] != r-1+y+7 {
				fmt.Println("WRONG", r, y, t.cells)
				return
			}
		}
	}
	fmt.Println("OK")
}
