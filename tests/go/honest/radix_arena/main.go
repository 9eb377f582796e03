// A radix sort whose buckets are cut, each with a limit, from one array, and written back over the list.
// heal-changes: whoever has the slice is meant to see what is written
package main

import "fmt"

//go:noinline
func radix(xs []uint32, arena []uint32) {
	n := len(xs)
	for shift := 0; shift < 16; shift += 2 {
		var buckets [4][]uint32
		for b := range buckets {
			buckets[b] = arena[b*n : b*n : (b+1)*n]
		}
		for _, x := range xs {
			b := x >> shift & 3
			buckets[b] = append(buckets[b], x)
		}
		out := xs[:0]
		for _, bucket := range buckets {
			out = append(out, bucket...)
		}
	}
}

func main() {
	arena := make([]uint32, 4*40)
	for round := 0; round < 30; round++ {
		xs := make([]uint32, 40)
		for i := range xs {
			xs[i] = uint32(i*7919+round*31)%60000 + 1
		}
		radix(xs, arena)
		for i := 1; i < len(xs); i++ {
			if xs[i-1] > xs[i] {
				fmt.Println("WRONG:", xs)
				return
			}
		}
	}
	fmt.Println("OK")
}
