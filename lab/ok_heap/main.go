// container/heap: Push and Pop on one slice.
package main

import (
	"container/heap"
	"fmt"
)

type item struct {
	prio int
	name string
}

type items []*item

func (h items) Len() int           { return len(h) }
func (h items) Less(i, j int) bool { return h[i].prio < h[j].prio }
func (h items) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *items) Push(x any)        { *h = append(*h, x.(*item)) }
func (h *items) Pop() any {
	old := *h
	last := old[len(old)-1]
	*h = old[:len(old)-1] // the slot keeps its pointer until the next Push
	return last
}

func main() {
	h := &items{}
	for i := 0; i < 20; i++ {
		heap.Push(h, &item{i * 7 % 20, fmt.Sprint(i)})
	}
	sum := 0
	for i := 0; i < 300; i++ {
		it := heap.Pop(h).(*item)
		sum += it.prio
		heap.Push(h, &item{it.prio + 1 + i%5, it.name})
	}
	last := -1
	for h.Len() > 0 {
		it := heap.Pop(h).(*item)
		if it.prio < last {
			fmt.Println("WRONG:", it.prio, last)
			return
		}
		last = it.prio
	}
	if sum == 0 {
		fmt.Println("WRONG:", sum)
		return
	}
	fmt.Println("OK")
}
