// Three-way partition: smaller ones in place, the others through scratch, written back behind.
// heal-changes: whoever has the slice is meant to see what is written
package main

import "fmt"

type sorter struct{ eq, gt []int }

func (s *sorter) partition(xs []int, p int) (int, int) {
	lt := xs[:0]
	s.eq, s.gt = s.eq[:0], s.gt[:0]
	for _, x := range xs {
		switch {
		case x < p:
			lt = append(lt, x)
		case x == p:
			s.eq = append(s.eq, x)
		default:
			s.gt = append(s.gt, x)
		}
	}
	n := len(lt)
	m := len(append(lt, s.eq...))
	copy(xs[m:], s.gt)
	return n, m
}
func (s *sorter) sort(xs []int) {
	if len(xs) < 2 {
		return
	}
	n, m := s.partition(xs, xs[len(xs)/2])
	s.sort(xs[:n])
	s.sort(xs[m:])
}
func main() {
	s := &sorter{}
	for round := 0; round < 40; round++ {
		xs := make([]int, 30)
		for i := range xs {
			xs[i] = (i*31 + round*7) % 19
		}
		s.sort(xs)
		for i := 1; i < len(xs); i++ {
			if xs[i-1] > xs[i] {
				fmt.Println("WRONG", xs)
				return
			}
		}
	}
	fmt.Println("OK")
}
