// Keys are made by appending to one prefix that has room for all of them.
package main

import (
	"fmt"
	"strings"
)

//go:noinline
func prefix(parts ...string) []byte {
	out := make([]byte, 0, 64)
	return append(out, strings.Join(parts, "/")...)
}

//go:noinline
func key(prefix []byte, id string) []byte { return append(prefix, id...) } // want: ghost-write before="ann" after="bob"

func main() {
	users := prefix("tenant", "users", "")
	a := key(users, "ann")
	b := key(users, "bob")

	fmt.Println("first", string(a), "second", string(b))
	if string(a) != "tenant/users/ann" {
		fmt.Println("WRONG: the first key is", string(a))
		return
	}
	fmt.Println("OK")
}
