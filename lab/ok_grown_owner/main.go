// The lists of a table are emptied and filled again, and put back where they came from; the table
// grows in between. Whoever reads goes through the table.
package main

import "fmt"

type row struct {
	id    int
	cells []int
}

type table struct{ rows []row }

//go:noinline
func (t *table) refill(i, from int) {
	t.rows[i].cells = append(t.rows[i].cells[:1], from, from+1, from+2)
}

//go:noinline
func (t *table) sum() (s int) {
	for _, r := range t.rows {
		for _, c := range r.cells {
			s += c
		}
	}
	return s
}

func main() {
	t := &table{}
	total := 0
	for n := 0; n < 40; n++ {
		t.rows = append(t.rows, row{id: n, cells: []int{n, 1, 2, 3}})
		for i := range t.rows {
			t.refill(i, n)
		}
		total += t.sum()
	}
	if total != 77080 {
		fmt.Println("WRONG", total)
		return
	}
	fmt.Println("OK")
}
