// A store that merges sorted runs as LSM trees do: two buffers take turns as source and target of each merge, and the
// older one is emptied before it is filled again.
package main

import (
	"fmt"
	"sort"
)

type entry struct {
	key   string
	value int
}

type store struct {
	fresh     []entry
	run, next []entry
}

func (s *store) put(key string, value int) {
	s.fresh = append(s.fresh, entry{key, value})
	if len(s.fresh) == 8 {
		s.flush()
	}
}

func (s *store) flush() {
	sort.SliceStable(s.fresh, func(i, j int) bool { return s.fresh[i].key < s.fresh[j].key })
	out := s.next[:0]
	i, j := 0, 0
	for i < len(s.run) || j < len(s.fresh) {
		switch {
		case j == len(s.fresh) || i < len(s.run) && s.run[i].key < s.fresh[j].key:
			out = append(out, s.run[i])
			i++
		case i < len(s.run) && s.run[i].key == s.fresh[j].key:
			i++ // the newer one counts
		default:
			if n := len(out); n > 0 && out[n-1].key == s.fresh[j].key {
				out[n-1] = s.fresh[j]
			} else {
				out = append(out, s.fresh[j])
			}
			j++
		}
	}
	s.run, s.next = out, s.run
	s.fresh = s.fresh[:0]
}

func main() {
	s := &store{}
	for i := 0; i < 160; i++ {
		s.put(fmt.Sprintf("k%02d", i*7%40), i)
	}
	sum := 0
	for i, e := range s.run {
		if i > 0 && s.run[i-1].key >= e.key {
			fmt.Println("WRONG: order at", i)
			return
		}
		sum += e.value
	}
	fmt.Println(len(s.run), sum)
	if len(s.run) != 40 || sum != 40*(120+159)/2 {
		fmt.Println("WRONG:", sum)
		return
	}
	fmt.Println("OK")
}
