// Two queries begin with the same words, of a slice that was made with room: the compiler knows the
// room and leaves the growing out, so the append is nothing but a store.
// heal-refused: the append is compiled to stores, and has no path that grows
package main

import (
	"fmt"
	"strings"
)

type query struct {
	words []string
}

var all []*query

func (q *query) String() string { return strings.Join(q.words, " ") }

func main() {
	base := make([]string, 0, 4)
	base = append(base, "select", "from")
	all = append(all, &query{append(base, "users")})
	all = append(all, &query{append(base, "orders")}) // want: ghost-write victim=words before="users" after="orders"
	fmt.Println(all[1])
	if got := all[0].String(); got != "select from users" {
		fmt.Printf("WRONG: %s\n", got)
		return
	}
	fmt.Println("OK")
}
