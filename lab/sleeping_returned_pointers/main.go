// As sleeping_returned, with pointers in it: two hooks of a plug-in, and each command has one more.
package main

import "fmt"

type hook struct{ name string }

//go:noinline
func hooks(names ...string) []*hook {
	var all []*hook
	for _, name := range names {
		all = append(all, &hook{name})
	}
	return all
}

type command struct {
	name  string
	hooks []*hook
}

//go:noinline
func newCommand(name string, common []*hook) *command {
	return &command{name, append(common, &hook{name})} // sleeps: writer
}

func main() {
	common := hooks("trace", "audit", "limit", "retry")
	get, put := newCommand("get", common), newCommand("put", common)
	for _, c := range []*command{get, put} {
		fmt.Println(c.name, c.hooks[4].name)
	}
	if get.hooks[4].name != "get" {
		fmt.Println("WRONG: get runs the hook of", get.hooks[4].name)
		return
	}
	fmt.Println("OK")
}
