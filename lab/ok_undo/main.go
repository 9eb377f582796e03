// An editor's undo list: after an undo the next edit replaces what could have been redone.
package main

import "fmt"

type editor struct {
	done []string
	text []rune
}

func (e *editor) edit(s string) { e.done = append(e.done, s) }

func (e *editor) undo() { e.done = e.done[:len(e.done)-1] }

func main() {
	e := &editor{}
	for i := 0; i < 120; i++ {
		e.edit(fmt.Sprintf("edit-%d", i))
		if i%3 == 2 {
			e.undo()
			e.undo()
		}
		e.text = append(e.text[:0], []rune(e.done[len(e.done)-1])...)
	}
	if len(e.done) != 40 || e.done[39] != "edit-117" || string(e.text) != "edit-117" {
		fmt.Println("WRONG:", len(e.done), e.done[39], string(e.text))
		return
	}
	fmt.Println("OK")
}
