// Deep recursion with appends in every frame, in many goroutines: stacks grow, move and shrink while
// appends write into buffers on them and in the heap.
package main

import (
	"fmt"
	"runtime"
	"sync"
)

type tally struct {
	sum int
	buf []int
}

func down(n int, t *tally, seen []int) int {
	var local [8]int
	own := append(local[:0], n, n+1, n+2)
	own = append(own[:1], 2*n, 3*n) // overwrites its own elements
	seen = append(seen[:n%4], n)    // and those of a buffer that all frames share
	t.buf = append(t.buf[:0], n, -n)
	if n == 0 {
		return own[0] + len(seen)
	}
	got := down(n-1, t, seen)
	t.sum += own[1] + own[2] - own[0]
	return got + own[0]
}

func main() {
	results := make([]int, 24)
	var wg sync.WaitGroup
	for g := range results {
		wg.Add(1)
		go func(g int) {
			defer wg.Done()
			for round := 0; round < 3; round++ {
				t := &tally{}
				results[g] += down(300*(g%8)+10, t, make([]int, 0, 8)) + t.sum
			}
			runtime.GC()
		}(g)
	}
	wg.Wait()
	for g, r := range results {
		n := 300*(g%8) + 10
		if want := 3*(n*(n+1)/2+1) + 3*4*n*(n+1)/2; r != want {
			fmt.Println("WRONG:", g, r, want)
			return
		}
	}
	fmt.Println("OK")
}
