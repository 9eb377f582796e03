// What stands twice in a sorted list is taken out in place, while the list is read: each element is
// compared with the one before, which has been written over by an equal one at most.
package main

import (
	"fmt"
	"sort"
	"strings"
)

type entry struct {
	word string
	page int
}

func main() {
	var index []entry
	for i, word := range strings.Fields("elm oak ash elm fir oak elm yew ash") {
		index = append(index, entry{word, i})
	}
	sort.Slice(index, func(i, j int) bool { return index[i].word < index[j].word })

	kept := index[:1]
	for i := 1; i < len(index); i++ {
		if index[i].word != index[i-1].word {
			kept = append(kept, index[i])
		}
	}
	index = kept

	var words []string
	for _, e := range index {
		words = append(words, e.word)
	}
	if strings.Join(words, " ") != "ash elm fir oak yew" {
		fmt.Println("WRONG:", words)
		return
	}
	fmt.Println("OK", words)
}
