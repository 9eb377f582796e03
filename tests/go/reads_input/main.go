// Reads words, three of which leave one spare slot in their array, and appends to them twice. Only with all of its input does it
// show its ghost write.
package main

import (
	"bufio"
	"fmt"
	"os"
	"strings"
)

type list struct{ words []string }

//go:noinline
func (l *list) with(word string) *list { return &list{append(l.words, word)} }

func main() {
	base := &list{}
	in := bufio.NewScanner(os.Stdin)
	for in.Scan() && len(base.words) < 3 {
		base.words = append(base.words, in.Text())
	}
	first := base.with("x")
	second := base.with("y")
	fmt.Println("first:", strings.Join(first.words, " "))
	fmt.Println("second:", strings.Join(second.words, " "))
}
