// A list of jobs of one's own. Remove forgets to clear the element's pointers, so who holds a removed job still reaches the
// others, and works on jobs that are not its business.
package main

import (
	"fmt"
	"os"
)

type node struct {
	next, prev *node
	name       string
	data       []byte
}

type jobs struct{ first *node }

func (l *jobs) push(name string, size int) *node {
	n := &node{name: name, data: make([]byte, size), next: l.first}
	if l.first != nil {
		l.first.prev = n
	}
	l.first = n
	return n
}

func (l *jobs) remove(n *node) {
	if n.prev != nil {
		n.prev.next = n.next
	} else {
		l.first = n.next
	}
	if n.next != nil {
		n.next.prev = n.prev
	}
	// the repair: n.next, n.prev = nil, nil
}

func main() {
	if len(os.Args) > 1 {
		measure()
		return
	}
	var l jobs
	l.push("later", 1)
	mine := l.push("mine", 1)
	l.remove(mine)
	for n := mine; n != nil; n = n.next {
		if n.name != "mine" {
			fmt.Printf("WRONG: whoever holds the removed job reaches %q, too\n", n.name)
			return
		}
	}
	fmt.Println("OK")
}
