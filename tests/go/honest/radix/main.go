// A radix sort whose buckets are emptied for each digit and written back over the source.
package main

import (
	"fmt"
	"sort"
)

func radix(xs []uint32) []uint32 {
	buckets := make([][]uint32, 16)
	src := xs
	for sh := 0; sh < 32; sh += 4 {
		for i := range buckets {
			buckets[i] = buckets[i][:0]
		}
		for _, x := range src {
			b := x >> sh & 15
			buckets[b] = append(buckets[b], x)
		}
		out := src[:0]
		for _, b := range buckets {
			out = append(out, b...)
		}
		src = out
	}
	return src
}
func main() {
	var xs []uint32
	s := uint32(7)
	for i := 0; i < 500; i++ {
		s = s*1664525 + 1013904223
		xs = append(xs, s)
	}
	r := radix(xs)
	fmt.Println(sort.SliceIsSorted(r, func(i, j int) bool { return r[i] < r[j] }), r[0], r[499])
}
