// Appends under a storm of SIGPROF (CPU profile at 1 kHz) and SIGURG (forced collections).
package main

import (
	"bytes"
	"fmt"
	"runtime"
	"runtime/pprof"
	"sync"
	"time"
)

func fill(buf []uint64, seed uint64) ([]uint64, uint64) {
	sum := uint64(0)
	for round := 0; round < 2000; round++ {
		buf = buf[:0]
		for i := uint64(0); i < 64; i++ {
			seed = seed*6364136223846793005 + 1442695040888963407
			buf = append(buf, seed)
		}
		for _, v := range buf {
			sum ^= v>>7 + v<<3
		}
	}
	return buf, sum
}

func main() {
	var out bytes.Buffer
	runtime.SetCPUProfileRate(1000)
	if err := pprof.StartCPUProfile(&out); err != nil {
		fmt.Println("WRONG:", err)
		return
	}
	stop := time.Now().Add(400 * time.Millisecond)
	sums := make([]uint64, 4)
	var wg sync.WaitGroup
	for g := range sums {
		wg.Add(1)
		go func(g int) {
			defer wg.Done()
			var buf []uint64
			for time.Now().Before(stop) {
				buf, sums[g] = fill(buf, 42)
			}
		}(g)
	}
	for time.Now().Before(stop) {
		runtime.GC()
	}
	wg.Wait()
	pprof.StopCPUProfile()
	_, want := fill(nil, 42)
	for _, s := range sums {
		if s != want {
			fmt.Println("WRONG:", s, want)
			return
		}
	}
	if out.Len() == 0 {
		fmt.Println("WRONG: no profile")
		return
	}
	fmt.Println("OK", want)
}
