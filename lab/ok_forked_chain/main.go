// Results are appended to in a chain, and all of them are read: each reads what is its own.
package main

import "fmt"

type line struct{ points []float64 }

func (l line) to(x float64) line {
	l.points = append(l.points, x)
	return l
}

var kept line

func main() {
	total := 0.0
	for round := 0; round < 20; round++ {
		a := kept.to(1).to(2).to(3)
		b := a.to(float64(round))
		c := b.to(float64(round) * 2)
		kept = line{c.points[:0]}
		total += a.points[2] + b.points[3] + c.points[4] + c.points[3]
	}
	if total != 60+190+380+190 {
		fmt.Println("WRONG", total)
		return
	}
	fmt.Println("OK")
}
