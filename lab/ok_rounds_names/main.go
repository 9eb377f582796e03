// Rounds of a counting-out game: those who stay are kept in place, `names = stay`, and the circle is turned around. Each round
// begins with the header that the last one ended with.
package main

import (
	"fmt"
	"slices"
	"strings"
)

//go:noinline
func turn(names []string) { slices.Reverse(names) }

//go:noinline
func stays(name string, at int) bool { return at%4 != 3 && !strings.HasPrefix(name, "-") }

func last(text string, n int) string {
	names := strings.Fields(text)
	for round := 1; len(names) > n; round++ {
		stay := names[:0]
		for i := 0; i < len(names); i++ {
			if stays(names[i], i+round) {
				stay = append(stay, names[i])
			}
		}
		names = stay
		turn(names)
	}
	return strings.Join(names, " ")
}

func want(text string, n int) string { // the same, each round in an array of its own
	names := strings.Fields(text)
	for round := 1; len(names) > n; round++ {
		var stay []string
		for i, name := range names {
			if stays(name, i+round) {
				stay = append(stay, name)
			}
		}
		slices.Reverse(stay)
		names = stay
	}
	return strings.Join(names, " ")
}

func main() {
	for _, text := range []string{"ada bob cid dot eve fay gus hal ivy", "k l m n o p", "a b c d e f g h i j k l m n"} {
		if got := last(text, 2); got != want(text, 2) {
			fmt.Println("WRONG:", got)
			return
		}
	}
	fmt.Println("OK")
}
