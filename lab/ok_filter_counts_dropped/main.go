// Who asks how many rows a filter in place dropped reads the field's length while the result is read:
// the field still has the header from before, and gets the result right after.
package main

import "fmt"

type tab struct{ rows []string }

//go:noinline
func filter(rows []string, p string) []string {
	out := rows[:0]
	for _, r := range rows {
		if r > p {
			out = append(out, r)
		}
	}
	return out
}

//go:noinline
func show(xs []string) string {
	s := ""
	for _, x := range xs {
		s += x
	}
	return s
}

//go:noinline
func (t *tab) prune(p string) {
	out := filter(t.rows, p)
	if len(out) != len(t.rows) {
		fmt.Println("dropped", len(t.rows)-len(out), show(out))
	}
	clear(t.rows[len(out):])
	t.rows = out
}

func main() {
	t := &tab{}
	for i := 0; i < 20; i++ {
		t.rows = append(t.rows, string(rune('a'+(i*7)%20)))
	}
	t.prune("c")
	t.prune("f")
	t.prune("f")
	fmt.Println(show(t.rows))
}
