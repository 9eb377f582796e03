// An editor whose redo tail is dropped by the next change: the history is cut at the position and appended to.
package main

import (
	"fmt"
	"strings"
)

type doc struct {
	hist []string
	pos  int
}

func (d *doc) do(s string) { d.hist = append(d.hist[:d.pos], s); d.pos++ }
func (d *doc) undo() {
	if d.pos > 0 {
		d.pos--
	}
}
func (d *doc) redo() {
	if d.pos < len(d.hist) {
		d.pos++
	}
}
func (d *doc) text() string { return strings.Join(d.hist[:d.pos], " ") }
func main() {
	d := &doc{}
	for r := 0; r < 50; r++ {
		d.do(fmt.Sprint("w", r))
		d.do("x")
		d.undo()
		if r%3 == 0 {
			d.redo()
		}
		if r%5 == 0 {
			d.undo()
			d.undo()
			d.do("y")
		}
	}
	fmt.Println(d.text(), len(d.hist))
}
