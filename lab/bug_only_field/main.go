// A request is a struct with one field, its roles. The compiler keeps the words of such a variable
// like those of a slice, and DWARF does not mention it at all.
package main

import (
	"fmt"
	"strings"
)

type request struct {
	roles []string
}

//go:noinline
func grant(base []string, role string) request {
	return request{append(base, role)} // want: ghost-write before="user" after="admin"
}

func main() {
	base := append(strings.SplitAfterN("read,list,", ",", 2), "watch") // len 3, cap 4

	ann := grant(base, "user")
	bob := grant(base, "admin")

	fmt.Println(ann.roles, bob.roles)
	if ann.roles[3] != "user" {
		fmt.Println("WRONG: ann is", ann.roles[3])
		return
	}
	fmt.Println("OK")
}
