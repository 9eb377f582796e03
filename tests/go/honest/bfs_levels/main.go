// A breadth-first search that swaps its two queues at each level.
package main

import "fmt"

type grid struct {
	w, h      int
	dist      []int
	cur, next []int
}

func (g *grid) run(start int) {
	for i := range g.dist {
		g.dist[i] = -1
	}
	g.cur = append(g.cur[:0], start)
	g.dist[start] = 0
	for d := 1; len(g.cur) > 0; d++ {
		g.next = g.next[:0]
		for _, c := range g.cur {
			x, y := c%g.w, c/g.w
			for _, dd := range [4][2]int{{1, 0}, {-1, 0}, {0, 1}, {0, -1}} {
				nx, ny := x+dd[0], y+dd[1]
				if nx < 0 || ny < 0 || nx >= g.w || ny >= g.h {
					continue
				}
				n := ny*g.w + nx
				if g.dist[n] < 0 && (nx*7+ny*3)%11 != 0 {
					g.dist[n] = d
					g.next = append(g.next, n)
				}
			}
		}
		g.cur, g.next = g.next, g.cur
	}
}
func main() {
	g := &grid{w: 40, h: 40, dist: make([]int, 1600)}
	t := 0
	for s := 0; s < 40; s++ {
		g.run(s * 37 % 1600)
		for _, d := range g.dist {
			t += d
		}
	}
	fmt.Println(t)
}
