// All paths of a tree by backtracking: all = append(all, append(path, leaf)) keeps paths that share
// the array of their common parent.
package main

import (
	"fmt"
	"strings"
)

type node struct {
	name string
	kids []*node
}

func (n *node) paths(path []string, all [][]string) [][]string {
	if len(n.kids) == 0 {
		return append(all, append(path, n.name)) // want: ghost-write before="ls" after="cat"
	}
	path = append(path, n.name)
	for _, kid := range n.kids {
		all = kid.paths(path, all)
	}
	return all
}

func main() {
	leaf := func(name string) *node { return &node{name: name} }
	usr := &node{"usr", []*node{{"bin", []*node{leaf("ls"), leaf("cat")}}}}
	root := &node{"root", []*node{usr, leaf("etc")}}

	all := root.paths(nil, nil)

	var lines []string
	for _, p := range all {
		lines = append(lines, strings.Join(p, "/"))
	}
	fmt.Println(strings.Join(lines, "\n"))
	if lines[0] != "root/usr/bin/ls" {
		fmt.Println("WRONG: the first path is", lines[0])
		return
	}
	fmt.Println("OK")
}
