// A card is taken out of a deck in place, the place that is left over is cleared through the deck, and
// then the deck is written anew.
package main

import "fmt"

type card struct {
	suit, rank int
	face       string
}

func draw(deck []card, i int) []card {
	return append(deck[:i], deck[i+1:]...)
}

func main() {
	deck := []card{{1, 7, "seven"}, {1, 8, "eight"}, {2, 9, "nine"}, {3, 10, "ten"}}
	left := draw(deck, 1)
	deck[len(left)] = card{}
	points := 0
	for _, c := range left {
		points += c.rank
		fmt.Println(c.face)
	}
	for i := range deck {
		deck[i] = card{i, i, "new"}
	}
	for _, c := range deck {
		points += c.rank
	}
	if points != 32 {
		fmt.Println("WRONG:", points)
		return
	}
	fmt.Println("OK")
}
