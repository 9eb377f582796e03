// Paths to the leaves of a tree are handed to a visitor, who keeps them; the next leaf is appended in
// the same place. They are looked at by index afterwards, paths[i][2].
package main

import "fmt"

type tree struct {
	name        int
	left, right *tree
}

func leaves(t *tree, path []int, visit func([]int)) {
	if t == nil {
		return
	}
	path = append(path, t.name) // want: ghost-write
	if t.left == nil && t.right == nil {
		visit(path)
		return
	}
	leaves(t.left, path, visit)
	leaves(t.right, path, visit)
}

func main() {
	t := &tree{1, &tree{2, &tree{3, nil, nil}, &tree{4, nil, nil}}, &tree{5, &tree{6, nil, nil}, nil}}
	var paths [][]int
	leaves(t, make([]int, 0, 8), func(p []int) { paths = append(paths, p) })
	for i, leaf := range []int{3, 4, 6} {
		if paths[i][2] != leaf {
			fmt.Println("WRONG: the leaf at the end of path", i, "is", paths[i][2])
			return
		}
	}
	fmt.Println("OK")
}
