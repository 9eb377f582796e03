// Running sums: two continuations of one series of measurements.
package main

import "fmt"

type series struct {
	parent *series
	sums   []float64
}

func (s *series) next(v float64) *series {
	last := 0.0
	if n := len(s.sums); n > 0 {
		last = s.sums[n-1]
	}
	return &series{s, append(s.sums, last+v)} // want: ghost-write victim=sums before="6.5" after="-4"
}

func main() {
	s := &series{}
	for _, v := range []float64{1, 1.5, 1} {
		s = s.next(v)
	}
	warm, cold := s.next(3), s.next(-7.5)
	fmt.Println(warm.sums, cold.sums)
	if got := warm.sums[3]; got != 6.5 {
		fmt.Println("WRONG: the warm series ends at", got)
		return
	}
	fmt.Println("OK")
}
