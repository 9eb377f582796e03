// Has a ghost write whose effect does not show, and prints what differs from run to run: no difference of two runs says
// anything about the append.
package main

import (
	"fmt"
	"os"
)

type list struct{ words []string }

//go:noinline
func (l *list) with(word string) *list { return &list{append(l.words, word)} }

func main() {
	base := &list{}
	for _, word := range []string{"a", "b", "c"} {
		base.words = append(base.words, word)
	}
	first := base.with("x")
	second := base.with("y")
	fmt.Println(len(first.words), len(second.words), len(first.words[3]))
	for i := 0; i < 1+os.Getpid()%3; i++ {
		fmt.Println("line", os.Getpid()%2)
	}
}
