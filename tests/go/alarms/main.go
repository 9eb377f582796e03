// Programs whose outcome changes under another growth of append though nothing is wrong, and programs that cannot be compared.
package main

import (
	"fmt"
	"os"
	"runtime"
	"sync"
	"time"
)

//go:noinline
func grown(n int) []int {
	var s []int
	for i := 0; i < n; i++ {
		s = append(s, i)
	}
	return s
}

var kept [][]int

// countsAllocations says how often growing 32 elements allocates: with more room as often as with the usual one, when both are rounded.
func countsAllocations() {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for i := 0; i < 1000; i++ {
		kept = append(kept[:0], grown(32))
	}
	runtime.ReadMemStats(&after)
	often := after.Mallocs-before.Mallocs > 20*1000
	fmt.Println("allocates at each append:", often)
}

// countsReuse says how often a pool had to make something new.
func countsReuse() {
	made := 0
	pool := sync.Pool{New: func() any { made++; return new(int) }}
	for i := 0; i < 100; i++ {
		pool.Put(pool.Get())
	}
	fmt.Println("reused often:", made < 50)
}

// varies says something else in its fourth run.
func varies(file string) {
	old, _ := os.ReadFile(file)
	os.WriteFile(file, append(old, 'x'), 0o600)
	fmt.Println("the fourth run:", len(old) == 3)
}

//go:noinline
func with(list []int, x int) []int { return append(list, x) }

// sleeps is wrong with more room, and counts its runs.
func sleeps(file string) {
	old, _ := os.ReadFile(file)
	os.WriteFile(file, append(old, 'x'), 0o600)
	base := grown(4)
	first, second := with(base, 10), with(base, 20)
	fmt.Println(first, second)
}

func main() {
	switch os.Args[1] {
	case "asks_for_capacity":
		fmt.Println("it grew to", cap(grown(100))+cap(grown(10)))
	case "counts_allocations":
		countsAllocations()
	case "counts_reuse":
		countsReuse()
	case "varies":
		varies(os.Args[2])
	case "sleeps":
		sleeps(os.Args[2])
	case "hangs":
		time.Sleep(time.Hour)
	case "hangs_with_room":
		if s := grown(10); cap(s) > 20 {
			time.Sleep(time.Hour)
		}
		fmt.Println("OK")
	case "fails":
		os.Exit(7)
	}
}
