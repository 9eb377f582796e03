// A tree whose nodes keep their children in slices: nodes move from parent to parent, splits give each half its own array.
package main

import "fmt"

type node struct {
	keys []int
	kids []*node
}

const most = 4

func (n *node) insert(key int) *node {
	if n.kids == nil {
		i := 0
		for i < len(n.keys) && n.keys[i] < key {
			i++
		}
		n.keys = append(n.keys, 0)
		copy(n.keys[i+1:], n.keys[i:])
		n.keys[i] = key
		if len(n.keys) <= most {
			return nil
		}
		half := len(n.keys) / 2
		right := &node{keys: append([]int(nil), n.keys[half:]...)}
		n.keys = n.keys[:half]
		return right
	}
	i := 0
	for i < len(n.keys) && key >= n.keys[i] {
		i++
	}
	right := n.kids[i].insert(key)
	if right == nil {
		return nil
	}
	first := right
	for first.kids != nil {
		first = first.kids[0]
	}
	n.keys = append(n.keys[:i], append([]int{first.keys[0]}, n.keys[i:]...)...)
	n.kids = append(n.kids[:i+1], append([]*node{right}, n.kids[i+1:]...)...)
	if len(n.kids) <= most {
		return nil
	}
	half := len(n.kids) / 2
	other := &node{keys: append([]int(nil), n.keys[half:]...), kids: append([]*node(nil), n.kids[half:]...)}
	n.keys, n.kids = n.keys[:half-1], n.kids[:half]
	return other
}

func (n *node) walk(visit func(int)) {
	for _, kid := range n.kids {
		kid.walk(visit)
	}
	if n.kids == nil {
		for _, k := range n.keys {
			visit(k)
		}
	}
}

func main() {
	root := &node{}
	for i := 0; i < 300; i++ {
		key := i * 37 % 301
		if right := root.insert(key); right != nil {
			first := right
			for first.kids != nil {
				first = first.kids[0]
			}
			root = &node{keys: []int{first.keys[0]}, kids: []*node{root, right}}
		}
	}
	count, last := 0, -1
	root.walk(func(k int) {
		if k <= last {
			count = -1000
		}
		last = k
		count++
	})
	fmt.Println(count, last)
	if count != 300 {
		fmt.Println("WRONG: keys are missing or out of order")
		return
	}
	fmt.Println("OK")
}
