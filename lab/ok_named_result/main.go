// A named result is what the filter builds, in place, and sorts; the caller stores it where the words came from.
// The local with the old header is not used after the last append.
package main

import (
	"fmt"
	"slices"
	"strings"
)

type word struct {
	text string
	runs int
}

type lexicon struct{ words []word }

//go:noinline
func (l *lexicon) known() (kept []word) {
	words := l.words
	kept = words[:0]
	for i := 0; i < len(words); i++ {
		if strings.ToLower(words[i].text) != "a" {
			kept = append(kept, words[i])
		}
	}
	slices.SortFunc(kept, func(a, b word) int { return b.runs - a.runs })
	return
}

func rank(text string) string {
	l := &lexicon{}
	for _, w := range strings.Fields(text) {
		l.words = append(l.words, word{w, len(w) - 1})
	}
	l.words = l.known()
	text = ""
	for _, w := range l.words {
		text += w.text + " "
	}
	return text
}

func main() {
	for _, c := range [][2]string{{"it was then there", "there then was it "}, {"was where then", "where then was "}, {"a be see a deep", "deep see be "}, {"go goes", "goes go "}} {
		if got := rank(c[0]); got != c[1] {
			fmt.Println("WRONG:", got)
			return
		}
	}
	fmt.Println("OK")
}
