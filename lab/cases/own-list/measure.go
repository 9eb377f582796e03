package main

import (
	"fmt"
	"runtime"
)

const (
	megabyte = 1 << 20
	elements = 8 // of a megabyte each
)

func heapMB() float64 {
	for i := 0; i < 3; i++ {
		runtime.GC()
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return float64(m.HeapAlloc) / megabyte
}

func ring(with func(n *node)) {
	var l jobs
	last := l.push("last", megabyte)
	for i := 1; i < elements; i++ {
		l.push("job", megabyte)
	}
	last.next, l.first.prev = l.first, last
	with(last)
}

// detached makes a list with one small element in front, takes that out, and drops the list.
func detached(clear bool) *node {
	var l jobs
	for i := 0; i < elements; i++ {
		l.push("job", megabyte)
	}
	small := l.push("small", 1)
	l.remove(small)
	if clear {
		small.next, small.prev = nil, nil
	}
	return small
}

// What is there after `make`, beyond what was before, while its result is held.
func after(make func() *node, held bool) float64 {
	before := heapMB()
	var result *node
	if held {
		result = make()
	} else {
		drop(make)
	}
	mb := heapMB() - before
	runtime.KeepAlive(result)
	return mb
}

//go:noinline
func drop(make func() *node) {
	if make() == nil {
		panic("nothing was made")
	}
}

func measure() {
	plain := after(func() *node { ring(func(*node) {}); return nil }, true)
	fmt.Printf("fact cycle_mb[no-finalizer] %.1f\n", plain)
	for _, clear := range []bool{false, true} {
		name := "leaves-the-pointers"
		if clear {
			name = "clears-the-pointers"
		}
		fmt.Printf("fact held_mb[%s] %.1f\n", name, after(func() *node { return detached(clear) }, true))
		fmt.Printf("fact dropped_mb[%s] %.1f\n", name, after(func() *node { return detached(clear) }, false))
	}
	// Last: what has a finalizer and lies in a ring stays for ever.
	final := after(func() *node { ring(func(n *node) { runtime.SetFinalizer(n, func(*node) {}) }); return nil }, true)
	fmt.Printf("fact cycle_mb[with-finalizer] %.1f\n", final)
}
