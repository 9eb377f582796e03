// A loop without calls that only appends, preempted by signals, beside a goroutine that collects
// garbage.
package main

import (
	"fmt"
	"runtime"
	"time"
)

func spin(s []uint32, n int) ([]uint32, uint32) {
	x := uint32(1)
	for i := 0; i < n; i++ {
		x ^= x << 13
		x ^= x >> 17
		x ^= x << 5
		s = append(s[:i&15], x)
	}
	return s, x
}

func main() {
	done := make(chan uint32)
	for g := 0; g < 3; g++ {
		go func() {
			_, x := spin(make([]uint32, 0, 16), 5_000_000)
			done <- x
		}()
	}
	_, want := spin(make([]uint32, 0, 16), 5_000_000)
	for g := 0; g < 3; {
		select {
		case x := <-done:
			if x != want {
				fmt.Println("WRONG:", x, want)
				return
			}
			g++
		default:
			runtime.GC()
			time.Sleep(time.Millisecond)
		}
	}
	fmt.Println("OK", want)
}
