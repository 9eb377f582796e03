// A table's rows are filled anew by appending to each from its start, and nothing keeps the cursor; but a report that was handed the old
// rows still reads them.
package main

import "fmt"

type table struct{ rows [][]string }

type report struct{ lines []string }

//go:noinline
func (t *table) fill(round int) {
	for i := range t.rows {
		row := t.rows[i][:0]
		for j := 0; j < 4; j++ {
			row = append(row, fmt.Sprintf("r%d-%d.%d", round, i, j)) // want: ghost-write victim=lines|heap
		}
	}
}

//go:noinline
func (r *report) first() string { return r.lines[0] + r.lines[3] }

func main() {
	t := &table{}
	for i := 0; i < 3; i++ {
		t.rows = append(t.rows, make([]string, 4))
	}
	t.fill(1)
	reports := []*report{{t.rows[0]}, {t.rows[1]}}
	before := reports[0].first() + reports[1].first()
	t.fill(2)
	after := reports[0].first() + reports[1].first()
	fmt.Println(len(t.rows), t.rows[2][3])
	if before != after {
		fmt.Println("WRONG:", after)
		return
	}
	fmt.Println("OK")
}
