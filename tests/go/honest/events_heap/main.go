// A queue of events in a heap that is pushed to while it is worked off.
package main

import (
	"container/heap"
	"fmt"
)

type ev struct {
	at   int
	name string
}
type q []*ev

func (h q) Len() int { return len(h) }
func (h q) Less(i, j int) bool {
	if h[i].at != h[j].at {
		return h[i].at < h[j].at
	}
	return h[i].name < h[j].name
}
func (h q) Swap(i, j int) { h[i], h[j] = h[j], h[i] }
func (h *q) Push(x any)   { *h = append(*h, x.(*ev)) }
func (h *q) Pop() any {
	o := *h
	n := len(o)
	x := o[n-1]
	o[n-1] = nil
	*h = o[:n-1]
	return x
}
func main() {
	h := &q{}
	for i := 0; i < 20; i++ {
		heap.Push(h, &ev{i * 7 % 13, fmt.Sprint("e", i)})
	}
	c := 0
	for h.Len() > 0 && c < 500 {
		e := heap.Pop(h).(*ev)
		c++
		if c < 300 {
			heap.Push(h, &ev{e.at + c%5 + 1, e.name + "'"[:c%2]})
		}
		if c%50 == 0 {
			fmt.Println(c, e.at, e.name)
		}
	}
}
