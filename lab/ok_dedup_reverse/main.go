// Sorted words without doubles, made in place, then reversed in place: `words = out` comes first, and from there on there is
// one header only.
package main

import (
	"fmt"
	"slices"
	"strings"
)

//go:noinline
func turn(words []string) { slices.Reverse(words) }

func descending(text string) []string {
	words := strings.Split(text, " ")
	slices.Sort(words)
	out := words[:0]
	for i := 0; i < len(words); i++ {
		if i == 0 || strings.Compare(words[i], words[i-1]) != 0 {
			out = append(out, words[i])
		}
	}
	words = out
	turn(words)
	for i, w := range words {
		words[i] = strings.ToUpper(w)
	}
	return words
}

func main() {
	for _, c := range [][2]string{{"a b c d", "D C B A"}, {"x y z", "Z Y X"}, {"b a b c a", "C B A"}, {"m n", "N M"}} {
		if got := strings.Join(descending(c[0]), " "); got != c[1] {
			fmt.Println("WRONG:", got)
			return
		}
	}
	fmt.Println("OK")
}
