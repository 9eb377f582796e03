package main

import (
	"fmt"
	"os"
	"runtime"
	"sort"
	"sync"
	"syscall"
)

const rounds = 5000

// measure counts how often a goroutine that looks at its own element right after the append misses it, and how often an
// element is missing at the end.
func measure() {
	fmt.Println("fact rounds", rounds)
	if runtime.NumCPU() == 1 {
		fmt.Println("cannot noticed_percent there is one processor")
	}
	noticed, lost := 0, 0
	for i := 0; i < rounds; i++ {
		base := make([]int, 2, 8)
		var saw [2]bool
		var results [2][]int
		start := make(chan bool)
		var wg sync.WaitGroup
		for g := 0; g < 2; g++ {
			wg.Add(1)
			go func(g int) {
				defer wg.Done()
				<-start
				mine := append(base, g+1)
				saw[g] = mine[2] != g+1
				results[g] = mine
			}(g)
		}
		close(start)
		wg.Wait()
		if saw[0] || saw[1] {
			noticed++
		}
		if results[0][2] != 1 || results[1][2] != 2 {
			lost++
		}
	}
	if runtime.NumCPU() > 1 {
		fmt.Printf("fact noticed_percent %.2f\n", 100*float64(noticed)/rounds)
	}
	fmt.Printf("fact lost_percent %.2f\n", 100*float64(lost)/rounds)
}

// work appends and sorts; the shortest of some rounds in processor time.
func work() {
	best := int64(1 << 62)
	for round := 0; round < 15; round++ {
		begin := used()
		for i := 0; i < 150; i++ {
			var list []int
			for k := 0; k < 5000; k++ {
				list = append(list, (k*7919)%5003)
			}
			sort.Ints(list)
		}
		if spent := used() - begin; spent < best {
			best = spent
		}
	}
	fmt.Printf("fact work_ms[%s] %.2f\n", os.Getenv("GEIST_LAB_WAY"), float64(best)/1e6)
}

func used() int64 {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return u.Utime.Nano() + u.Stime.Nano()
}
