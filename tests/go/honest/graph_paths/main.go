// All paths of a graph by depth-first search; the longest is copied into a buffer of its own.
package main

import "fmt"

type g map[int][]int

func (x g) paths(a, b int, path []int, visit func([]int)) {
	path = append(path, a)
	if a == b {
		visit(path)
		return
	}
	for _, n := range x[a] {
		skip := false
		for _, p := range path {
			if p == n {
				skip = true
			}
		}
		if !skip {
			x.paths(n, b, path, visit)
		}
	}
}
func main() {
	x := g{}
	for i := 0; i < 9; i++ {
		for j := 0; j < 9; j++ {
			if i != j && (i*j+i+j)%3 != 0 {
				x[i] = append(x[i], j)
			}
		}
	}
	n, best := 0, []int(nil)
	sum := 0
	x.paths(1, 8, make([]int, 0, 10), func(p []int) {
		n++
		sum += len(p)
		if len(p) > len(best) {
			best = append(best[:0], p...)
		}
	})
	fmt.Println(n, sum, best)
}
