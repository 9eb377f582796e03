// A free list of nodes and the bytes in them: freed nodes are taken and filled again.
package main

import "fmt"

type node struct {
	data []byte
	used bool
}

type heap struct {
	nodes []*node
	free  []*node
}

func (h *heap) get(text string) *node {
	var n *node
	if last := len(h.free) - 1; last >= 0 {
		n = h.free[last]
		h.free = h.free[:last]
	} else {
		n = &node{}
		h.nodes = append(h.nodes, n)
	}
	n.used = true
	n.data = append(n.data[:0], text...)
	return n
}

func (h *heap) put(n *node) {
	n.used = false
	h.free = append(h.free, n)
}

func main() {
	h := &heap{}
	for i := 0; i < 300; i++ {
		a, b := h.get(fmt.Sprintf("a%04d", i)), h.get(fmt.Sprintf("b%04d", i))
		if a == b || a.data[0] != 'a' || b.data[0] != 'b' {
			fmt.Println("WRONG:", i)
			return
		}
		h.put(a)
		h.put(b)
	}
	if len(h.nodes) != 2 || len(h.free) != 2 || string(h.nodes[0].data[1:]) != "0299" {
		fmt.Println("WRONG:", len(h.nodes), len(h.free))
		return
	}
	fmt.Println("OK")
}
