// Matrices that take the arrays of earlier ones: rows are filled again after the last use of what was in them.
package main

import "fmt"

type matrix struct {
	cells []float64
	rows  [][]float64
	width int
}

func (m *matrix) reset(width int) {
	m.cells, m.rows, m.width = m.cells[:0], m.rows[:0], width
}

func (m *matrix) add(row ...float64) {
	start := len(m.cells)
	m.cells = append(m.cells, row...)
	m.rows = append(m.rows, m.cells[start:len(m.cells):len(m.cells)])
}

func multiply(a, b, out *matrix) {
	out.reset(b.width)
	row := make([]float64, 0, 8)
	for _, ra := range a.rows {
		row = row[:0]
		for c := 0; c < b.width; c++ {
			sum := 0.0
			for k, v := range ra {
				sum += v * b.rows[k][c]
			}
			row = append(row, sum)
		}
		out.add(row...)
	}
}

func main() {
	grid := func() *matrix { return &matrix{cells: make([]float64, 0, 16), rows: make([][]float64, 0, 4)} }
	base, x, y := grid(), grid(), grid()
	base.reset(2)
	base.add(1, 1)
	base.add(1, 0)
	x.reset(2)
	x.add(1, 0)
	x.add(0, 1)
	for i := 0; i < 30; i++ {
		multiply(x, base, y)
		x, y = y, x
	}
	fmt.Println(x.rows[0][1], x.rows[0][0])
	if x.rows[0][1] != 832040 || x.rows[1][0] != 832040 {
		fmt.Println("WRONG:", x.rows)
		return
	}
	fmt.Println("OK")
}
