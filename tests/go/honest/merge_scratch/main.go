// A merge sort whose halves are merged into list[lo:lo], with scratch in a field.
// heal-changes: whoever has the slice is meant to see what is written
package main

import "fmt"

type entry struct {
	key  string
	rank int
}

type sorter struct{ scratch []entry }

func (s *sorter) sort(list []entry, lo, hi int) {
	if hi-lo < 2 {
		return
	}
	mid := (lo + hi) / 2
	s.sort(list, lo, mid)
	s.sort(list, mid, hi)
	s.merge(list, lo, mid, hi)
}

//go:noinline
func (s *sorter) merge(list []entry, lo, mid, hi int) {
	left := append(s.scratch[:0], list[lo:mid]...)
	dst := list[lo:lo]
	i, j := 0, mid
	for i < len(left) && j < hi {
		if left[i].rank <= list[j].rank {
			dst = append(dst, left[i])
			i++
		} else {
			dst = append(dst, list[j])
			j++
		}
	}
	for ; i < len(left); i++ {
		dst = append(dst, left[i])
	}
}

func main() {
	s := &sorter{scratch: make([]entry, 0, 64)}
	for round := 0; round < 40; round++ {
		list := make([]entry, 50)
		for i := range list {
			list[i] = entry{fmt.Sprint("k", i), (i*29+round)%83 + 1}
		}
		s.sort(list, 0, len(list))
		for i := 1; i < len(list); i++ {
			if list[i-1].rank > list[i].rank {
				fmt.Println("WRONG:", round, list)
				return
			}
		}
	}
	fmt.Println("OK")
}
