// Rows cut out of one array with their capacity limited, some of which grow later.
package main

import "fmt"

type table struct {
	cells []string
	rows  [][]string
}

func build(n, m int) *table {
	t := &table{cells: make([]string, 0, n*m)}
	for i := 0; i < n; i++ {
		b := len(t.cells)
		for j := 0; j < m; j++ {
			t.cells = append(t.cells, fmt.Sprintf("%d:%d", i, j))
		}
		t.rows = append(t.rows, t.cells[b:len(t.cells):len(t.cells)])
	}
	return t
}
func main() {
	t := build(30, 6)
	for i := range t.rows {
		if i%3 == 0 {
			t.rows[i] = append(t.rows[i], "extra")
		}
	}
	n := 0
	for _, r := range t.rows {
		for _, c := range r {
			n += len(c)
		}
	}
	fmt.Println(n, t.rows[4], t.rows[3])
}
