// Sorts in place, removes doubles in place and returns the shorter slice; the callers use nothing but what came back.
package main

import (
	"fmt"
	"sort"
	"strings"
)

func unique(words []string) []string {
	sort.Strings(words)
	out := words[:0]
	for i, w := range words {
		if i == 0 || w != words[i-1] {
			out = append(out, w)
		}
	}
	return out
}

type index struct {
	words map[int][]string
}

func (x *index) add(doc int, text string) {
	x.words[doc] = unique(append(x.words[doc], strings.Fields(text)...))
}

func main() {
	x := &index{words: map[int][]string{}}
	for round := 0; round < 20; round++ {
		for doc := 0; doc < 3; doc++ {
			x.add(doc, "the cat and the dog and the bird")
			x.add(doc, fmt.Sprint("word", doc, " bird cat"))
		}
	}
	for doc := 0; doc < 3; doc++ {
		want := fmt.Sprintf("and bird cat dog the word%d", doc)
		if got := strings.Join(x.words[doc], " "); got != want {
			fmt.Println("WRONG:", got)
			return
		}
	}
	fmt.Println(x.words[1])
	fmt.Println("OK")
}
