// A queue drops what is done and is made a heap again: true changes below the old header, which is not used after the last round of
// the loop; container/heap reads and swaps through the one that was assigned.
package main

import (
	"container/heap"
	"fmt"
)

type job struct {
	prio int
	name string
	done bool
}

type jobs []*job

func (q jobs) Len() int           { return len(q) }
func (q jobs) Less(i, j int) bool { return q[i].prio < q[j].prio }
func (q jobs) Swap(i, j int)      { q[i], q[j] = q[j], q[i] }
func (q *jobs) Push(x any)        { *q = append(*q, x.(*job)) }
func (q *jobs) Pop() any {
	last := (*q)[len(*q)-1]
	*q = (*q)[:len(*q)-1]
	return last
}

func (q *jobs) sweep() {
	all := *q
	kept := all[:0]
	for i := 0; i < len(all); i++ {
		if !all[i].done {
			kept = append(kept, all[i])
		}
	}
	*q = kept
	heap.Init(q)
}

func main() {
	for n := 4; n < 16; n++ {
		q, want := &jobs{}, 0
		for i := 0; i < n; i++ {
			j := &job{prio: i * 7 % 17, name: string(rune('a' + i)), done: i%3 == 0}
			heap.Push(q, j)
			if !j.done {
				want++
			}
		}
		q.sweep()
		for last := -1; q.Len() > 0; want-- {
			j := heap.Pop(q).(*job)
			if j.prio < last || j.done {
				fmt.Println("WRONG:", n, j.name, j.prio, last)
				return
			}
			last = j.prio
		}
		if want != 0 {
			fmt.Println("WRONG:", n, want)
			return
		}
	}
	fmt.Println("OK")
}
