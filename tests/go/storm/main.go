// Appends under storms of signals: the CPU profiler's SIGPROF at 1 kHz, and SIGURG, which Go uses for preemption, from outside
// as often. With a number: that many goroutines, each with 1000 appends.
package main

import (
	"fmt"
	"io"
	"os"
	"runtime"
	"runtime/pprof"
	"strconv"
	"sync"
	"syscall"
	"time"
)

func work(seed int) (sum int) {
	var line []int
	for i := 0; i < 1000; i++ {
		line = append(line[:i%30], i*seed)
		sum = sum*31 + line[len(line)-1]
	}
	return sum
}

func main() {
	goroutines, _ := strconv.Atoi(os.Args[1])
	if len(os.Args) > 2 {
		// The rate is set first; that StartCPUProfile then complains of it is the same in every run.
		runtime.SetCPUProfileRate(1000)
		pprof.StartCPUProfile(io.Discard)
		go func() {
			for {
				syscall.Kill(os.Getpid(), syscall.SIGURG)
				time.Sleep(time.Millisecond)
			}
		}()
	}
	sums := make([]int, goroutines)
	var all sync.WaitGroup
	for g := range sums {
		all.Add(1)
		go func(g int) {
			defer all.Done()
			sums[g] = work(g)
		}(g)
	}
	all.Wait()
	total := 0
	for _, s := range sums {
		total = total*7 + s
	}
	fmt.Println("total", total)
}
