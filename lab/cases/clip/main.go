// A helper appends to the part of a list that it was given, once to a part with room and once to a part without.
package main

import (
	"fmt"
	"os"
)

func withTotal(prices []int) []int {
	total := 0
	for _, p := range prices {
		total += p
	}
	return append(prices, total)
}

func main() {
	if len(os.Args) > 1 {
		measure()
		return
	}
	clipped := []int{10, 20, 35, 40}
	open := []int{10, 20, 35, 40}
	fmt.Println("clipped", withTotal(clipped[:2:2]), "rest", clipped[2:])
	fmt.Println("open   ", withTotal(open[:2]), "rest", open[2:]) // the repair: open[:2:2]
	if open[2] != 35 || clipped[2] != 35 {
		fmt.Printf("WRONG: the third price is %d without the third index, %d with it\n", open[2], clipped[2])
		return
	}
	fmt.Println("OK")
}
