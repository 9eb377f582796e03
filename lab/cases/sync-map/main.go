// The same work on both: the same result.
package main

import (
	"fmt"
	"os"
	"sync"
)

func main() {
	if len(os.Args) > 1 {
		measure()
		return
	}
	var shared sync.Map
	locked := lockedMap{m: map[int]int{}}
	var wg sync.WaitGroup
	for g := 0; g < 4; g++ {
		wg.Add(1)
		go func(g int) {
			defer wg.Done()
			for i := 0; i < 1000; i++ {
				shared.Store(g*1000+i, i)
				locked.store(g*1000+i, i)
			}
		}(g)
	}
	wg.Wait()
	n := 0
	shared.Range(func(any, any) bool { n++; return true })
	if n != 4000 || len(locked.m) != 4000 {
		fmt.Printf("WRONG: sync.Map has %d entries, the map with a lock %d, of 4000\n", n, len(locked.m))
		return
	}
	fmt.Println("OK: both have 4000 entries")
}
