// Words are filtered in place, and the count of those that are left is given back: the caller cuts its own slice.
// heal-changes: whoever has the slice is meant to see what is written
package main

import (
	"fmt"
	"strings"
)

// keep keeps those that are no comment; its caller cuts.
//
//go:noinline
func keep(words []string, drop map[string]bool) int {
	kept := words[:0]
	for _, w := range words {
		if !drop[w] {
			kept = append(kept, w)
		}
	}
	return len(kept)
}

func main() {
	drop := map[string]bool{"the": true, "a": true, "of": true}
	for round := 0; round < 60; round++ {
		words := strings.Fields("the quick fox of a hill sees the other of a kind " + fmt.Sprint("w", round))
		n := keep(words, drop)
		words = words[:n]
		if got := strings.Join(words, " "); got != "quick fox hill sees other kind "+fmt.Sprint("w", round) {
			fmt.Println("WRONG:", got)
			return
		}
	}
	fmt.Println("OK")
}
