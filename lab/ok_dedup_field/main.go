// A dedup in place on a field compares what it kept with what comes next: the field's header is read
// as a whole in each round, the overwritten element through the result only.
package main

import "fmt"

type row struct {
	id  int
	tag string
}
type tab struct {
	rows    []row
	dropped int
}

//go:noinline
func (t *tab) dedup() {
	kept := t.rows[:0]
	for i := range t.rows {
		if len(kept) > 0 && kept[len(kept)-1] == t.rows[i] {
			continue
		}
		kept = append(kept, t.rows[i])
	}
	t.dropped += len(t.rows) - len(kept)
	t.rows = kept
}

func main() {
	t := &tab{}
	for i := 0; i < 20; i++ {
		t.rows = append(t.rows, row{i / 3, fmt.Sprint("t", i/3)})
	}
	t.dedup()
	fmt.Println(t.rows, t.dropped)
}
