// A tree keeps its nodes in one slice. A node's address is taken, then its child is made, which moves the nodes: the link to the
// child is written into the old array.
package main

import "fmt"

type node struct {
	key         int
	left, right int
}

type tree struct{ nodes []node }

func (t *tree) add(key int) int {
	t.nodes = append(t.nodes, node{key, -1, -1}) // want: stale-slice
	return len(t.nodes) - 1
}

func (t *tree) insert(at, key int) {
	n := &t.nodes[at]
	if key < n.key {
		if n.left < 0 {
			n.left = t.add(key)
			return
		}
		t.insert(n.left, key)
		return
	}
	if n.right < 0 {
		n.right = t.add(key)
		return
	}
	t.insert(n.right, key)
}

func (t *tree) count(at int) int {
	if at < 0 {
		return 0
	}
	return 1 + t.count(t.nodes[at].left) + t.count(t.nodes[at].right)
}

func main() {
	t := &tree{}
	t.add(50)
	for _, key := range []int{30, 70, 20, 40, 60, 80, 10} {
		t.insert(0, key)
	}
	if got := t.count(0); got != 8 {
		fmt.Println("WRONG: the tree has", got, "nodes")
		return
	}
	fmt.Println("OK")
}
