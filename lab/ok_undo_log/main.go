// An editor whose undo log keeps a copy of what each change removes; undone changes are cut off and their slots reused.
package main

import "fmt"

type change struct {
	at      int
	removed []rune
	added   int
}

type editor struct {
	text []rune
	log  []change
}

func (e *editor) replace(at, n int, text string) {
	removed := append([]rune(nil), e.text[at:at+n]...)
	added := []rune(text)
	tail := append([]rune(nil), e.text[at+n:]...)
	e.text = append(append(e.text[:at], added...), tail...)
	e.log = append(e.log, change{at, removed, len(added)})
}

func (e *editor) undo() {
	last := e.log[len(e.log)-1]
	e.log = e.log[:len(e.log)-1]
	tail := append([]rune(nil), e.text[last.at+last.added:]...)
	e.text = append(append(e.text[:last.at], last.removed...), tail...)
}

func main() {
	e := &editor{text: []rune("the quick brown fox")}
	for round := 0; round < 40; round++ {
		e.replace(4, 5, "slow")
		e.replace(0, 3, "a")
		e.replace(len(e.text), 0, " jumps")
		e.undo()
		e.undo()
		e.replace(0, 0, ">> ")
		e.undo()
		e.undo()
		if string(e.text) != "the quick brown fox" || len(e.log) != 0 {
			fmt.Println("WRONG:", string(e.text))
			return
		}
	}
	fmt.Println(string(e.text))
	fmt.Println("OK")
}
