// A list of pointers that its methods keep free from doubles, in place, and order by swapping: the list's only slice is the
// field, which holds the result before the first swap.
package main

import "fmt"

type node struct {
	key   string
	count int
}

type list struct {
	nodes []*node
}

//go:noinline
func (l *list) unique() {
	at := map[*node]bool{}
	nodes := l.nodes
	out := nodes[:0]
	for i := 0; i < len(nodes); i++ {
		n := nodes[i]
		if at[n] {
			n.count++
			continue
		}
		at[n] = true
		out = append(out, n)
	}
	l.nodes = out
	l.byCount()
}

//go:noinline
func (l *list) byCount() {
	for i := range l.nodes {
		for j := i; j > 0 && l.nodes[j].count > l.nodes[j-1].count; j-- {
			l.nodes[j], l.nodes[j-1] = l.nodes[j-1], l.nodes[j]
		}
	}
}

func main() {
	all := []*node{{key: "a"}, {key: "b"}, {key: "c"}, {key: "d"}}
	l := &list{}
	for round := 0; round < 6; round++ {
		for i := 0; i <= 3; i++ {
			l.nodes = append(l.nodes, all[i])
			for k := 0; k < i; k++ {
				l.nodes = append(l.nodes, all[i])
			}
		}
		l.unique()
		text := ""
		for _, n := range l.nodes {
			text += n.key
		}
		if text != "dcba" {
			fmt.Println("WRONG:", text)
			return
		}
	}
	fmt.Println("OK")
}
