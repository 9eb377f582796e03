// Five hundred threads append at the same moment, each with a stack of its own: whatever a watcher
// keeps for each thread runs out.
package main

import (
	"fmt"
	"runtime"
	"strconv"
	"sync"
)

func main() {
	const n = 500
	var ready, done sync.WaitGroup
	start := make(chan bool)
	sums := make([]int, n)
	for t := 0; t < n; t++ {
		ready.Add(1)
		done.Add(1)
		go func(t int) {
			defer done.Done()
			runtime.LockOSThread()
			buf := make([]byte, 0, 16)
			ready.Done()
			<-start
			for i := 0; i < 200; i++ {
				buf = append(buf[:0], strconv.Itoa(t*1000+i)...)
				sums[t] += len(buf)
			}
			if string(buf) != strconv.Itoa(t*1000+199) {
				sums[t] = -1
			}
		}(t)
	}
	ready.Wait()
	close(start)
	done.Wait()
	total := 0
	for t, s := range sums {
		if s < 0 {
			fmt.Println("WRONG:", t)
			return
		}
		total += s
	}
	fmt.Println("OK", total)
}
