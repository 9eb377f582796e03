// A program with little in it but its runtime: what fuzz targets start from.
package main

type point struct{ x, y int }

type record struct {
	point
	name string
	next *record
	tags []string
	four [4]uint16
	all  map[string]*point
	call func(int) any
	line chan []byte
}

func inlined(a []int, v int) []int { return append(a, v) }

func middle(a []int, v int) []int { return inlined(a, v+1) }

//go:noinline
func outer(a []int, v int, r *record) any {
	a = middle(a, v)
	r.x = len(a)
	return *r
}

func main() {
	r := &record{name: "first", all: map[string]*point{}}
	r.next = r
	v := outer(nil, 1, r).(record)
	defer func() { recover() }()
	println(v.x, v.name)
}
