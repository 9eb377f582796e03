// Two goroutines count visits in one map, without a lock.
package main

import (
	"fmt"
	"os"
	"sync"
)

func countVisits(visits map[string]int, page string, times int) {
	for i := 0; i < times; i++ {
		visits[page]++ // the repair: a mutex around this
	}
}

func main() {
	if len(os.Args) > 2 {
		victim(os.Args[2])
		return
	}
	if len(os.Args) > 1 {
		measure()
		return
	}
	visits := map[string]int{}
	var wg sync.WaitGroup
	for _, page := range []string{"/", "/shop"} {
		wg.Add(1)
		go func(page string) {
			defer wg.Done()
			countVisits(visits, page, 100000)
		}(page)
	}
	wg.Wait()
	if visits["/"]+visits["/shop"] != 200000 {
		fmt.Printf("WRONG: %d of 200000 visits were counted\n", visits["/"]+visits["/shop"])
		return
	}
	fmt.Println("OK: all visits were counted, this time")
}
