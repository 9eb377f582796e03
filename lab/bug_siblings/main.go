// Two routes append their own middleware to the same group: the group has one spare slot, and the
// second route writes its guard into the slot that the first route already uses.
package main

import (
	"fmt"
	"strings"
)

type route struct {
	path  string
	chain []string
}

func (r *route) String() string { return r.path + " -> " + strings.Join(r.chain, " ") }

func newRoute(path string, group []string, guard string) *route {
	chain := append(group, guard) // want: ghost-write victim=chain before="require-admin" after="allow-anyone"
	return &route{path, chain}
}

func main() {
	var group []string
	for _, name := range strings.Fields("log gzip cors") {
		group = append(group, name) // len 3, cap 4 in the end
	}
	routes := map[string]*route{}
	routes["admin"] = newRoute("/admin", group, "require-admin")
	routes["public"] = newRoute("/public", group, "allow-anyone")

	admin := routes["admin"]
	fmt.Println(admin)
	if got := admin.chain[3]; got != "require-admin" {
		fmt.Printf("WRONG: /admin is guarded by %s\n", got)
		return
	}
	fmt.Println("OK")
}
