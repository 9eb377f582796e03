// A convex hull in the caller's array.
package main

import "fmt"

type point struct{ x, y int }

func hull(pts []point, out []point) []point {
	out = out[:0]
	for _, p := range pts {
		for len(out) >= 2 {
			a, b := out[len(out)-2], out[len(out)-1]
			if (b.x-a.x)*(p.y-a.y)-(b.y-a.y)*(p.x-a.x) > 0 {
				break
			}
			out = out[:len(out)-1]
		}
		out = append(out, p)
	}
	return out
}
func main() {
	var store [64]point
	tot := 0
	for r := 1; r < 60; r++ {
		var pts []point
		for i := 0; i < 50; i++ {
			pts = append(pts, point{i, (i * i * r) % 37})
		}
		h := hull(pts, store[:])
		for _, p := range h {
			tot += p.x * p.y
		}
		tot += len(h)
	}
	fmt.Println(tot)
}
