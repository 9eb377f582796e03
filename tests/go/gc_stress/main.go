// Allocates all the time while pointers are appended to, cut from and shifted in reused slices. Every
// object carries a number that is checked; a lost pointer or a missed write barrier shows.
package main

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"sync"
)

type object struct {
	n    int
	pad  [3]int
	kids []*object
}

func tree(n, depth int, spare []*object) *object {
	o := &object{n: n}
	if depth > 0 {
		spare = spare[:0]
		for i := 0; i < 4; i++ {
			spare = append(spare, &object{n: n*4 + i})
		}
		for _, s := range spare {
			o.kids = append(o.kids, tree(s.n, depth-1, make([]*object, 0, 4)))
		}
	}
	return o
}

func (o *object) count() int {
	sum := o.n
	for _, k := range o.kids {
		sum += k.count()
	}
	return sum
}

func main() {
	debug.SetGCPercent(1)
	var wg sync.WaitGroup
	sums := make([]int, 4)
	for g := range sums {
		wg.Add(1)
		go func(g int) {
			defer wg.Done()
			var window []*object
			spare := make([]*object, 0, 4)
			for i := 0; i < 60; i++ {
				window = append(window, tree(i, 3, spare))
				if len(window) > 5 {
					window = append(window[:0], window[1:]...)
				}
				if i%20 == g {
					runtime.GC()
				}
			}
			for _, o := range window {
				sums[g] += o.count()
			}
		}(g)
	}
	wg.Wait()
	for _, s := range sums {
		if s != sums[0] || s == 0 {
			fmt.Println("WRONG:", sums)
			return
		}
	}
	fmt.Println("OK", sums[0])
}
