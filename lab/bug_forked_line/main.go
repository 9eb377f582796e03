// Points of a line, of a struct whose first field is zero; two lines fork from one.
package main

import "fmt"

type point struct {
	kind  int
	label string
	x, y  float64
}

type line struct{ points []point }

func (l line) to(label string, x, y float64) line {
	l.points = append(l.points, point{label: label, x: x, y: y}) // want: ghost-write
	return l
}

var other line

func main() {
	start := line{}.to("a", 0, 0).to("b", 1, 0).to("c", 1, 1)
	up, down := start.to("up", 1, 2), start.to("down", 1, -2)
	other = down
	if up.points[3].label != "up" {
		fmt.Println("WRONG: the line up goes", up.points[3].label)
		return
	}
	fmt.Println("OK")
}
