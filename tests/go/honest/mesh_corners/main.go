// A mesh's triangles are written in place by a builder with two levels of helpers; a count comes back.
// heal-changes: whoever has the slice is meant to see what is written
package main

import "fmt"

type vertex struct{ x, y, z int }

type mesh struct {
	vertices []vertex
	n        int
}

//go:noinline
func corner(to []vertex, x, y, z int) []vertex {
	return append(to, vertex{x + 1, y + 1, z + 1})
}

//go:noinline
func triangle(to []vertex, at int) []vertex {
	to = corner(to, at, at, at)
	to = corner(to, at+1, at, at)
	return corner(to, at, at+1, at)
}

func (m *mesh) build(round int) {
	to := m.vertices[:0]
	for i := 0; i < 4+round%3; i++ {
		to = triangle(to, i*10+round)
	}
	m.n = len(to)
}

func main() {
	m := &mesh{vertices: make([]vertex, 30)}
	sum, want := 0, 0
	for round := 0; round < 60; round++ {
		m.build(round)
		for _, v := range m.vertices[:m.n] {
			sum += v.x + v.y + v.z
		}
		for i := 0; i < 4+round%3; i++ {
			want += 9*(i*10+round) + 2 + 9
		}
	}
	if sum != want {
		fmt.Println("WRONG:", sum, want)
		return
	}
	fmt.Println("OK")
}
