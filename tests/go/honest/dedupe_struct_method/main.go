// A set that sorts, deduplicates and filters its own slice.
package main

import (
	"fmt"
	"sort"
)

type set struct{ items []string }

func (s *set) add(x ...string) *set { s.items = append(s.items, x...); return s }
func (s *set) norm() *set {
	sort.Strings(s.items)
	out := s.items[:0]
	for i, x := range s.items {
		if i == 0 || x != out[len(out)-1] {
			out = append(out, x)
		}
	}
	s.items = out
	return s
}
func (s *set) without(y string) *set {
	out := s.items[:0]
	for _, x := range s.items {
		if x != y {
			out = append(out, x)
		}
	}
	for i := len(out); i < len(s.items); i++ {
		s.items[i] = ""
	}
	s.items = out
	return s
}
func main() {
	s := &set{}
	for r := 0; r < 40; r++ {
		s.add("b", "a", fmt.Sprint("k", r%7), "c", "a").norm()
		if r%4 == 0 {
			s.without("b").without(fmt.Sprint("k", (r+1)%7))
		}
	}
	fmt.Println(s.items)
}
