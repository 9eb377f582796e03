// A table of preallocated rows, each row a part of one array, refilled row by row and read as a whole.
package main

import "fmt"

const rows, columns = 8, 6

type grid struct {
	rows [][]int
}

func newGrid() *grid {
	backing := make([]int, rows*columns)
	g := &grid{rows: make([][]int, rows)}
	for i := range g.rows {
		g.rows[i] = backing[i*columns : (i+1)*columns : (i+1)*columns]
	}
	return g
}

func (g *grid) fill(seed int) {
	for i := range g.rows {
		row := g.rows[i][:0]
		for c := 0; c < columns; c++ {
			row = append(row, seed+i*c)
		}
		g.rows[i] = row
	}
}

func (g *grid) sum() (sum int) {
	for _, row := range g.rows {
		for _, v := range row {
			sum += v
		}
	}
	return sum
}

func main() {
	g := newGrid()
	total := 0
	for seed := 1; seed <= 100; seed++ {
		g.fill(seed)
		total += g.sum()
	}
	if total != 48*5050+100*420 {
		fmt.Println("WRONG:", total)
		return
	}
	fmt.Println("OK")
}
