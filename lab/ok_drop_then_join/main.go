// Words are dropped in place, so elements move down and the old header covers changed ones; the variable takes the result before
// anything but the loop's condition and the element at hand is read. A call then reads the whole through the new header.
package main

import (
	"fmt"
	"strings"
)

type page struct {
	words []string
	stop  map[string]bool
}

//go:noinline
func (p *page) text() string {
	words := p.words
	out := words[:0]
	for i := 0; i < len(words); i++ {
		if !p.stop[words[i]] {
			out = append(out, words[i])
		}
	}
	words = out
	p.words = words
	return strings.Join(words, " ")
}

func main() {
	stop := map[string]bool{"the": true, "a": true, "of": true}
	for _, c := range [][2]string{
		{"the end of a day", "end day"},
		{"one of the many", "one many"},
		{"a house the garden of roses", "house garden roses"},
		{"no more", "no more"},
	} {
		p := &page{words: strings.Fields(c[0]), stop: stop}
		if got := p.text(); got != c[1] || p.text() != c[1] {
			fmt.Println("WRONG:", got)
			return
		}
	}
	fmt.Println("OK")
}
