// A closure appends to the row that its function cut from the grid, which asks it for its length alone.
// heal-changes: whoever has the grid is meant to see what is written
package main

import "fmt"

type grid struct{ cells [][]int }

//go:noinline
func walk(n int, emit func(int)) {
	for i := 0; i < n; i++ {
		emit(i * i)
	}
}
func (g *grid) fill(k int) (n int) {
	for i := range g.cells {
		row := g.cells[i][:0]
		walk(len(g.cells[i]), func(v int) { row = append(row, v+k+i) })
		n += len(row)
	}
	return
}
func main() {
	g := &grid{}
	for i := 0; i < 4; i++ {
		g.cells = append(g.cells, make([]int, 5))
	}
	for k := 1; k < 60; k++ {
		if g.fill(k) != 20 {
			fmt.Println("WRONG count")
			return
		}
		for i, row := range g.cells {
			for j, v := range row {
				if v != j*j+k+i {
					fmt.Println("WRONG", i, j, v)
					return
				}
			}
		}
	}
	fmt.Println("OK")
}
