// The first card of a hand goes to its end: it is taken out in place and appended again, by another
// name. Of the hand as it was only the length is asked for, and its own array is what the new one has.
package main

import "fmt"

func rest(cards []int) []int {
	return append(cards[:0], cards[1:]...)
}

func main() {
	hand := []int{7, 2, 9, 4, 3, 8}
	first := hand[0]
	moved := rest(hand)
	moved = append(moved, first)
	sum := 0
	for i, card := range moved {
		sum += i * card
	}
	if len(moved) != len(hand) || moved[0] != 2 || moved[5] != 7 {
		fmt.Println("WRONG:", moved)
		return
	}
	fmt.Println("OK", moved, len(hand), sum)
}
