// Two routes append their guard to one group. The group is full today, so each append copies; with a spare slot the second guard
// would be written over the first.
package main

import (
	"fmt"
	"strings"
)

type route struct {
	path  string
	chain []string
}

func newRoute(path string, group []string, guard string) *route {
	return &route{path, append(group, guard)} // sleeps: writer
}

func main() {
	var group []string
	for _, name := range strings.Fields("log gzip cors trace") {
		group = append(group, name) // len 4, cap 4 in the end
	}
	admin := newRoute("/admin", group, "require-admin")
	public := newRoute("/public", group, "allow-anyone")
	fmt.Println(admin.path, strings.Join(admin.chain, " "))
	fmt.Println(public.path, strings.Join(public.chain, " "))
	if got := admin.chain[4]; got != "require-admin" {
		fmt.Printf("WRONG: /admin is guarded by %s\n", got)
		return
	}
	fmt.Println("OK")
}
