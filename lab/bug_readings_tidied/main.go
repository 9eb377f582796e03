// A station tidies its readings in place with a helper, and gives the tidy ones back; its own list, which is not cut, is read as well.
package main

import "fmt"

type reading struct {
	hour int
	mm   float64
}

type station struct{ readings []reading }

//go:noinline
func add(to []reading, r reading) []reading {
	return append(to, r) // want: ghost-write victim=readings|heap
}

//go:noinline
func (s *station) wet() []reading {
	wet := s.readings[:0]
	for _, r := range s.readings {
		if r.mm > 0 {
			wet = add(wet, r)
		}
	}
	return wet
}

//go:noinline
func (s *station) sum() (total float64) {
	for _, r := range s.readings {
		total += r.mm
	}
	return total
}

//go:noinline
func most(list []reading) (max reading) {
	for _, r := range list {
		if r.mm > max.mm {
			max = r
		}
	}
	return max
}

func main() {
	s := &station{}
	for h := 0; h < 12; h++ {
		s.readings = append(s.readings, reading{h + 1, float64(h%4) * 1.5})
	}
	before := s.sum()
	wettest := most(s.wet())
	fmt.Println("at", wettest.hour)
	if after := s.sum(); after != before {
		fmt.Println("WRONG:", after, "for", before)
		return
	}
	fmt.Println("OK")
}
