// A line is cut and the same tail appended again: bytes that stand there already, in place, since the line was that long
// before. The store of the new mark goes through the result, and the whole is read through the line: one array, by the language.
// heal-changes: the append fits always, and is known to share the array, which a copy does not
package main

import "fmt"

type line struct {
	text []byte
	mark int
}

//go:noinline
func cut(text []byte, n int) []byte { return append(text[:n], text[n:]...) }

func (l *line) marked(c byte) string {
	same := cut(l.text, l.mark)
	before := string(l.text)
	same[l.mark] = c
	if before[:l.mark] != string(l.text[:l.mark]) || len(same) != len(l.text) {
		return "another length"
	}
	return string(l.text)
}

func main() {
	for i, text := range []string{"ready.", "set.", "go, go."} {
		l := &line{text: []byte(text), mark: len(text) - 1}
		if got, want := l.marked('!'), text[:len(text)-1]+"!"; got != want {
			fmt.Println("WRONG:", i, got)
			return
		}
		if got, want := l.marked('?'), text[:len(text)-1]+"?"; got != want {
			fmt.Println("WRONG:", i, got)
			return
		}
	}
	fmt.Println("OK")
}
