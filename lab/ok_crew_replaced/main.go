// An element is taken out of a list that was written down as a literal, and the list is replaced: in
// one function after inlining, where the compiler knows every length.
package main

import (
	"fmt"
	"strings"
)

func without(names []string, i int) []string {
	return append(names[:i], names[i+1:]...)
}

func main() {
	crew := []string{"ann", "bob", "cid", "dee", "eve"}
	crew = without(crew, 1)
	fmt.Println("after the first port", crew)
	watch := []int{8, 12, 16, 20}
	watch = append(watch[:1], watch[2:]...)
	sum := 0
	for _, hour := range watch {
		sum += hour
	}
	crew = without(crew, 0)
	if strings.Join(crew, " ") != "cid dee eve" || sum != 44 {
		fmt.Println("WRONG:", crew, watch)
		return
	}
	fmt.Println("OK", crew, watch)
}
