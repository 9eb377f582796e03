// Queues that shift in place and put the element back at the end: the header is the same again, and
// with equal elements so are the bytes.
package main

import "fmt"

type q struct{ items []string }

// a queue that shifts in place; the caller holds the count only
//
//go:noinline
func (q *q) pop() string {
	v := q.items[0]
	q.items = append(q.items[:0], q.items[1:]...)
	return v
}

//go:noinline
func (q *q) push(v string) { q.items = append(q.items, v) }

//go:noinline
func (q *q) all() string {
	s := ""
	for _, x := range q.items {
		s += x
	}
	return s
}

func rotate(xs []string) []string {
	first := xs[0]
	n := len(xs)
	xs = append(xs[:0], xs[1:]...)
	xs = append(xs, first)
	if len(xs) != n {
		panic("length")
	}
	return xs
}

//go:noinline
func show(xs []string) string {
	s := ""
	for _, x := range xs {
		s += x
	}
	return s
}

func main() {
	x := &q{}
	for i := 0; i < 6; i++ {
		x.push(fmt.Sprint(i % 3))
	}
	for i := 0; i < 6; i++ {
		v := x.pop()
		fmt.Print(v, x.all(), " ")
		x.push(v)
		fmt.Println(x.all())
	}
	xs := []string{"a", "a", "b", "a", "a"}
	for i := 0; i < 5; i++ {
		xs = rotate(xs)
		fmt.Println(show(xs))
	}
}
