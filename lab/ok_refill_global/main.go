// A package variable is used as scratch space by one function after another.
package main

import (
	"fmt"
	"strings"
)

var words []string

func split(text string) {
	words = words[:0]
	for _, w := range strings.FieldsFunc(text, func(r rune) bool { return r == ',' }) {
		words = append(words, w)
	}
}

func longest() (max string) {
	for _, w := range words {
		if len(w) > len(max) {
			max = w
		}
	}
	return max
}

func main() {
	total := 0
	for i := 0; i < 200; i++ {
		split("red,green,blue")
		total += len(longest())
		split("one,two,three")
		total += len(longest())
	}
	if total != 2000 || strings.Join(words, "+") != "one+two+three" {
		fmt.Println("WRONG:", total, words)
		return
	}
	fmt.Println("OK")
}
