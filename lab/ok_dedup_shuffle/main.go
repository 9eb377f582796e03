// Doubles among numbers are dropped in place and the rest is shuffled with a generator of its own, so every run says the same.
// The shuffle writes through the one header there is after `ids = out`.
package main

import "fmt"

type random uint32

func (r *random) below(n int) int {
	*r = *r*1664525 + 1013904223
	return int(*r>>8) % n
}

func (r *random) shuffle(ids []int) {
	for i := len(ids) - 1; i > 0; i-- {
		j := r.below(i + 1)
		ids[i], ids[j] = ids[j], ids[i]
	}
}

//go:noinline
func drawn(ids []int, r *random) []int {
	seen := map[int]bool{}
	out := ids[:0]
	for i := 0; i < len(ids); i++ {
		if id := ids[i]; !seen[id] {
			seen[id] = true
			out = append(out, id)
		}
	}
	ids = out
	r.shuffle(ids)
	sum := 0
	for i, id := range ids {
		sum += (i + 1) * id
	}
	ids = append(ids, sum)
	return ids
}

func main() {
	r := random(7)
	for round := 1; round < 9; round++ {
		ids := []int{round, round + 11, round + 5, round + 11, round + 2, round + 17}
		got := drawn(ids, &r)
		sum, all := 0, 0
		for i, id := range got[:len(got)-1] {
			sum += (i + 1) * id
			all += id
		}
		if sum != got[len(got)-1] || all != 5*round+35 {
			fmt.Println("WRONG:", got)
			return
		}
	}
	fmt.Println("OK")
}
