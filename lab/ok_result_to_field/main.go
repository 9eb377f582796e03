// A queue drops what is done: locals filter in place, the field gets the result, and the field is sorted. The
// local with the old header is not used after the assignment.
package main

import (
	"fmt"
	"slices"
)

type item struct {
	name string
	prio int
	done bool
}

type queue struct {
	items []item
	drops int
}

//go:noinline
func (q *queue) drop(it item) bool {
	if it.done {
		q.drops++
	}
	return it.done
}

func (q *queue) settle() {
	items := q.items
	out := items[:0]
	for i := 0; i < len(items); i++ {
		if q.drop(items[i]) {
			continue
		}
		out = append(out, items[i])
	}
	q.items = out
	slices.SortFunc(q.items, func(a, b item) int { return a.prio - b.prio })
}

func (q *queue) names() (text string) {
	for _, it := range q.items {
		text += it.name
	}
	return text
}

func main() {
	q := &queue{}
	q.items = append(q.items, item{"a", 4, false}, item{"b", 3, false}, item{"c", 2, false}, item{"d", 1, false})
	q.settle()
	first := q.names()
	q.items[1].done = true
	q.items = append(q.items, item{"e", 0, false})
	q.settle()
	if first != "dcba" || q.names() != "edba" || q.drops != 1 {
		fmt.Println("WRONG:", first, q.names(), q.drops)
		return
	}
	fmt.Println("OK")
}
