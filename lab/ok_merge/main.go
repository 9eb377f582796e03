// Merge sort that swaps between two arrays of its own.
package main

import (
	"fmt"
	"sort"
)

type sorter struct {
	data, spare []int
}

func (s *sorter) sort() {
	for width := 1; width < len(s.data); width *= 2 {
		out := s.spare[:0]
		for lo := 0; lo < len(s.data); lo += 2 * width {
			mid, hi := lo+width, lo+2*width
			if mid > len(s.data) {
				mid = len(s.data)
			}
			if hi > len(s.data) {
				hi = len(s.data)
			}
			a, b := s.data[lo:mid], s.data[mid:hi]
			for len(a) > 0 && len(b) > 0 {
				if a[0] <= b[0] {
					out, a = append(out, a[0]), a[1:]
				} else {
					out, b = append(out, b[0]), b[1:]
				}
			}
			out = append(append(out, a...), b...)
		}
		s.data, s.spare = out, s.data
	}
}

func main() {
	s := &sorter{spare: make([]int, 0, 100)}
	for round := 0; round < 20; round++ {
		s.data = s.data[:0]
		for i := 0; i < 100; i++ {
			s.data = append(s.data, (i*37+round)%101)
		}
		s.sort()
		if !sort.IntsAreSorted(s.data) || len(s.data) != 100 {
			fmt.Println("WRONG:", s.data)
			return
		}
	}
	fmt.Println("OK")
}
