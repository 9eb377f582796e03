// A priority queue of container/heap that drops what is cancelled in place, and is made a heap again.
package main

import (
	"container/heap"
	"fmt"
)

type task struct {
	prio      int
	name      string
	cancelled bool
}

type queue []*task

func (q queue) Len() int           { return len(q) }
func (q queue) Less(i, j int) bool { return q[i].prio < q[j].prio }
func (q queue) Swap(i, j int)      { q[i], q[j] = q[j], q[i] }
func (q *queue) Push(x any)        { *q = append(*q, x.(*task)) }
func (q *queue) Pop() any {
	old := *q
	last := old[len(old)-1]
	*q = old[:len(old)-1]
	return last
}

func (q *queue) sweep() {
	all := *q
	kept := all[:0]
	for i := 0; i < len(all); i++ {
		if !all[i].cancelled {
			kept = append(kept, all[i])
		}
	}
	*q = kept
	heap.Init(q)
}

func main() {
	q := &queue{}
	for i := 0; i < 200; i++ {
		t := &task{prio: i * 7919 % 211, name: fmt.Sprint("t", i)}
		heap.Push(q, t)
		t.cancelled = i%7 == 3
		if i%10 == 9 {
			q.sweep()
		}
		if i%3 == 2 {
			t := heap.Pop(q).(*task)
			fmt.Print(t.name, " ")
		}
	}
	for q.Len() > 0 {
		fmt.Print(heap.Pop(q).(*task).prio, " ")
	}
	fmt.Println()
}
