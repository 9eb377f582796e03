// A pointer into an arena and a number beside it, as results and as arguments: no slice, though the
// two words look like the start of one. The arena is emptied and filled again meanwhile.
package main

import "fmt"

type node struct {
	name string
	next int
}

type arena struct {
	nodes []node
}

//go:noinline
func (a *arena) add(name string) {
	a.nodes = append(a.nodes, node{name, len(a.nodes)})
}

//go:noinline
func (a *arena) first(name string) (*node, int, int) {
	a.nodes = a.nodes[:0]
	a.add(name)
	a.add(name + "'s")
	return &a.nodes[0], len(name), 2 * len(name)
}

//go:noinline
func (a *arena) walk(from *node, steps, limit int) (names []string) {
	for i := from.next; i < len(a.nodes) && steps > 0 && limit > 0; i++ {
		names = append(names, a.nodes[i].name)
		steps--
	}
	return names
}

func main() {
	a := &arena{nodes: make([]node, 0, 8)}
	for _, name := range []string{"ann", "bob", "eve"} {
		n, steps, limit := a.first(name)
		a.nodes = a.nodes[:1]
		a.add("the child")
		names := a.walk(n, steps, limit)
		if len(names) != 2 || names[1] != "the child" {
			fmt.Println("WRONG:", names)
			return
		}
		fmt.Println(n.name, names, steps)
	}
	fmt.Println("OK")
}
