// All paths of a tree are collected. As deep as this tree is, the path is full whenever it branches; one level more, and it is not.
package main

import "fmt"

type node struct {
	name     int
	children []*node
}

func collect(n *node, path []int, out *[][]int) {
	path = append(path, n.name) // sleeps: writer
	if len(n.children) == 0 {
		*out = append(*out, path)
		return
	}
	for _, child := range n.children {
		collect(child, path, out)
	}
}

func main() {
	tree := &node{1, []*node{
		{2, []*node{{3, nil}, {4, nil}}},
		{5, []*node{{6, nil}, {7, nil}}},
	}}
	var paths [][]int
	collect(tree, nil, &paths)
	fmt.Println(paths)
	if fmt.Sprint(paths) != "[[1 2 3] [1 2 4] [1 5 6] [1 5 7]]" {
		fmt.Println("WRONG: paths that the tree does not have")
		return
	}
	fmt.Println("OK")
}
