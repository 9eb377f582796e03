// Two lists live in one array, one after the other. The first may take room of the second, which is
// then made anew at its place, longer than before, and is read only after that.
package main

import "fmt"

type pair struct{ lists [][]int }

//go:noinline
func (p *pair) fill(round, extra int) {
	p.lists[0] = append(p.lists[0][:2], round) // the first number of the second list
	if extra > 0 {
		p.lists[1] = append(p.lists[1][:0], round*10)
		for i := 1; i <= extra; i++ {
			p.lists[1] = append(p.lists[1], round*10+i)
		}
		p.lists[0] = p.lists[0][:2]
	}
}

//go:noinline
func (p *pair) sum() (sum int) {
	for _, n := range p.lists[1] {
		sum += n
	}
	return sum
}

func main() {
	memory := make([]int, 16)
	for i := range memory {
		memory[i] = i + 1
	}
	p := &pair{[][]int{memory[:2], memory[2:4]}}
	total := 0
	for round := 1; round <= 6; round++ {
		p.fill(round, round+1)
		total += p.sum()
	}
	if total != 1413 {
		fmt.Println("WRONG", total)
		return
	}
	fmt.Println("OK")
}
