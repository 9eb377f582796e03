// A list that copies on write: readers keep the list they were given, writers publish a new one; only the writer's own
// unpublished copy is appended to.
package main

import (
	"fmt"
	"sync"
	"sync/atomic"
)

type listener struct {
	id   int
	name string
}

type registry struct {
	mu   sync.Mutex
	list atomic.Pointer[[]listener]
}

func (r *registry) add(l listener) {
	r.mu.Lock()
	defer r.mu.Unlock()
	old := *r.list.Load()
	next := make([]listener, len(old), len(old)+1)
	copy(next, old)
	next = append(next, l)
	r.list.Store(&next)
}

func (r *registry) remove(id int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	var next []listener
	for _, l := range *r.list.Load() {
		if l.id != id {
			next = append(next, l)
		}
	}
	r.list.Store(&next)
}

func main() {
	r := &registry{}
	r.list.Store(&[]listener{})
	var snapshots [][]listener
	for i := 0; i < 40; i++ {
		r.add(listener{i, fmt.Sprint("listener-", i)})
		snapshots = append(snapshots, *r.list.Load())
		if i%3 == 2 {
			r.remove(i - 1)
		}
	}
	for i, s := range snapshots {
		if last := s[len(s)-1]; last.id != i || last.name != fmt.Sprint("listener-", i) {
			fmt.Println("WRONG:", i, last)
			return
		}
	}
	fmt.Println(len(snapshots), len(*r.list.Load()))
	fmt.Println("OK")
}
