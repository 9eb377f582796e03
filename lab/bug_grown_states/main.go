// Each state of a game keeps its moves; the states are values of a list that grows, so the moves'
// headers are somewhere else when they are read.
package main

import "fmt"

type state struct {
	score int
	moves []int
}

type game struct {
	opening []int
	states  []state
}

//go:noinline
func (g *game) try(move int) {
	g.states = append(g.states, state{score: move * 10, moves: append(g.opening, move)}) // want: ghost-write
}

//go:noinline
func (g *game) last(i int) int { return g.states[i].moves[len(g.states[i].moves)-1] }

func main() {
	g := &game{}
	for m := 1; m <= 5; m++ {
		g.opening = append(g.opening, m)
	}
	for m := 11; m <= 15; m++ {
		g.try(m)
	}
	for i := range g.states {
		if got := g.last(i); got != 11+i {
			fmt.Printf("WRONG: state %d ends with move %d\n", i, got)
			return
		}
	}
	fmt.Println("OK")
}
