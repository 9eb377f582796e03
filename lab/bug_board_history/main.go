// The ranks of a board are set up anew by a helper that appends to each from its start, as they are meant to be; but the moves of the game
// so far have kept the ranks that they saw.
package main

import "fmt"

type board struct{ ranks [][]rune }

type move struct{ saw []rune }

//go:noinline
func set(rank []rune, piece rune) []rune {
	return append(rank, piece) // want: ghost-write victim=saw|heap
}

//go:noinline
func (b *board) setUp(from rune) {
	for i := range b.ranks {
		rank := b.ranks[i][:0]
		for j := rune(0); j < 8; j++ {
			rank = set(rank, from+j+rune(i))
		}
	}
}

//go:noinline
func (m *move) first() string { return string(m.saw[0]) + string(m.saw[7]) }

func main() {
	b := &board{}
	for i := 0; i < 3; i++ {
		b.ranks = append(b.ranks, make([]rune, 8))
	}
	b.setUp('a')
	moves := []*move{{b.ranks[0]}, {b.ranks[2]}}
	before := moves[0].first() + moves[1].first()
	b.setUp('k')
	after := moves[0].first() + moves[1].first()
	fmt.Println(string(b.ranks[1]))
	if before != after {
		fmt.Println("WRONG:", after)
		return
	}
	fmt.Println("OK")
}
