// Someone keeps a view of a buffer over its refill, knows that it is stale, and takes a new one before
// reading.
package main

import "fmt"

type source struct {
	generation int
	buf        []int
}

func (s *source) refill() {
	s.generation++
	s.buf = s.buf[:0]
	for i := 0; i < 6; i++ {
		s.buf = append(s.buf, s.generation*10+i)
	}
}

type view struct {
	generation int
	data       []int
}

func (v *view) get(s *source) []int {
	if v.generation != s.generation {
		v.generation, v.data = s.generation, s.buf
	}
	return v.data
}

func main() {
	s, v := &source{}, &view{}
	for i := 1; i <= 150; i++ {
		s.refill()
		if got := v.get(s); got[0] != i*10 || got[5] != i*10+5 {
			fmt.Println("WRONG:", i, got)
			return
		}
	}
	fmt.Println("OK")
}
