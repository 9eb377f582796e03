// A visitor writes a row of a grid anew, as it is meant to; but an audit has kept the row as it was before.
package main

import "fmt"

type grid struct{ rows [][]int }

type audit struct{ before []int }

//go:noinline
func each(n int, f func(int)) {
	for i := 0; i < n; i++ {
		f(i*7 + 1)
	}
}

//go:noinline
func (g *grid) reset(i int) int {
	row := g.rows[i][:0]
	each(len(g.rows[i]), func(v int) {
		row = append(row, v) // want: ghost-write victim=before|heap
	})
	return len(row)
}

//go:noinline
func (a *audit) sum() (sum int) {
	for _, v := range a.before {
		sum += v
	}
	return sum
}

func main() {
	g := &grid{rows: [][]int{{5, 6, 7}, {8, 9, 10}}}
	audits := []*audit{{g.rows[1]}}
	want := audits[0].sum()
	n := g.reset(1)
	if got := audits[0].sum(); got != want {
		fmt.Println("WRONG:", n, got)
		return
	}
	fmt.Println("OK")
}
