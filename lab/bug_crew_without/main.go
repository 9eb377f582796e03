// The function that everybody writes once: it takes an element out of a slice, and the slice that it
// was taken out of is printed afterwards. All of it is inlined into one function, where the compiler
// knows every length, so nothing is left of the append but a copy.
// heal-refused: the append is compiled to a copy, and has no path that grows
package main

import (
	"fmt"
	"strings"
)

func without(names []string, i int) []string {
	return append(names[:i], names[i+1:]...) // want: ghost-write victim=crew before="bob" after="cid"
}

func main() {
	crew := []string{"ann", "bob", "cid", "dee"}
	ashore := without(crew, 1)
	fmt.Println("on land", ashore)
	fmt.Println("on board", crew)
	if strings.Join(crew, " ") != "ann bob cid dee" {
		fmt.Println("WRONG: somebody is on board twice")
		return
	}
	fmt.Println("OK")
}
