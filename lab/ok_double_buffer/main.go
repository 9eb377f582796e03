// Breadth first search with two frontiers that swap their arrays.
package main

import "fmt"

type graph struct {
	width, height int
	depth         []int
}

func (g *graph) search() (levels int) {
	current, next := []int{0}, []int{}
	for i := range g.depth {
		g.depth[i] = -1
	}
	g.depth[0] = 0
	for len(current) > 0 {
		next = next[:0]
		for _, cell := range current {
			for _, d := range []int{1, -1, g.width, -g.width} {
				to := cell + d
				if to < 0 || to >= len(g.depth) || g.depth[to] >= 0 || (d*d == 1 && to/g.width != cell/g.width) {
					continue
				}
				g.depth[to] = g.depth[cell] + 1
				next = append(next, to)
			}
		}
		current, next = next, current
		levels++
	}
	return levels
}

func main() {
	g := &graph{20, 20, make([]int, 400)}
	for round := 0; round < 5; round++ {
		if levels := g.search(); levels != 39 || g.depth[399] != 38 {
			fmt.Println("WRONG:", levels, g.depth[399])
			return
		}
	}
	fmt.Println("OK")
}
