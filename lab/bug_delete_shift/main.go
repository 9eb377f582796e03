// remove shifts the elements of the slice it was given, and the caller still uses that slice: one
// name is gone, the last one is there twice.
package main

import (
	"fmt"
	"strings"
)

func without(names []string, name string) []string {
	for i, n := range names {
		if n == name {
			return append(names[:i], names[i+1:]...) // want: ghost-write victim=all|names before="bob" after="carol"
		}
	}
	return names
}

func main() {
	all := strings.Split("alice,bob,carol,dave", ",")
	others := without(all, "bob")
	fmt.Println("to", strings.Join(others, " "))

	list := strings.Join(all, " ")
	if list != "alice bob carol dave" {
		fmt.Println("WRONG: everybody is now", list)
		return
	}
	fmt.Println("OK")
}
