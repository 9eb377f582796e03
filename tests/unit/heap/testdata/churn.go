// A program that allocates, collects and starts goroutines as fast as it can, with a hundred views of
// one array that never change.
package main

import (
	"fmt"
	"os"
	"time"
	"unsafe"
)

type record struct {
	next *record
	view []int
	m    map[int]string
}

var (
	table  [1000]*record
	array  = make([]int, 100)
	pinned []*record
)

func churn() {
	x := uint32(1)
	for i := 0; ; i++ {
		x = x*1664525 + 1013904223
		r := &record{view: make([]int, x>>16%50), m: map[int]string{int(x): fmt.Sprint(x)}}
		if i%7 != 0 {
			r.next = table[x>>20%1000]
		}
		table[x>>20%1000] = r
	}
}

func growStack(n int) int {
	var frame [100]int
	frame[n%100] = n
	if n > 0 {
		return growStack(n-1) + frame[n%100]
	}
	time.Sleep(time.Millisecond)
	return 0
}

func main() {
	for i := range array {
		pinned = append(pinned, &record{view: array[i:]})
	}
	go churn()
	go func() {
		for {
			go growStack(50)
			time.Sleep(100 * time.Microsecond)
		}
	}()
	time.Sleep(100 * time.Millisecond)
	fmt.Printf("at array %d 800\n", uintptr(unsafe.Pointer(&array[0])))
	fmt.Println("ready")
	var b [1]byte
	os.Stdin.Read(b[:])
}
