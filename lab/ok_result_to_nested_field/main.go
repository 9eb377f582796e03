// The slice is three steps away, in a struct in a map in a struct; rows of numbers are filtered in place and turned around. One
// holder only, and it has the result before the swaps.
package main

import "fmt"

type sheet struct {
	head string
	rows []float64
}

type book struct {
	byName map[string]*sheet
	order  []string
	bad    map[float64]bool
}

//go:noinline
func turn(s *sheet) {
	for i, j := 0, len(s.rows)-1; i < j; i, j = i+1, j-1 {
		s.rows[i], s.rows[j] = s.rows[j], s.rows[i]
	}
}

func (b *book) positive(name string) float64 {
	s := b.byName[name]
	rows := s.rows
	out := rows[:0]
	for i := 0; i < len(rows); i++ {
		if !b.bad[rows[i]] {
			out = append(out, rows[i])
		}
	}
	b.byName[name].rows = out
	turn(s)
	sum := 0.0
	for i, r := range s.rows {
		sum += float64(i+1) * r
	}
	return sum
}

func main() {
	b := &book{byName: map[string]*sheet{}, bad: map[float64]bool{-1: true}}
	for i, name := range []string{"jan", "feb", "mar", "apr"} {
		b.order = append(b.order, name)
		s := &sheet{head: name}
		for k := 1; k < 6; k++ {
			s.rows = append(s.rows, float64(k+i))
			if k > 3 && i%2 == 1 {
				s.rows = append(s.rows, -1)
			}
		}
		b.byName[name] = s
	}
	for i, name := range b.order {
		if got, want := b.positive(name), float64(35+15*i); got != want {
			fmt.Println("WRONG:", name, got, want)
			return
		}
	}
	fmt.Println("OK")
}
