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

// prices reads the list of a shop.
func prices(shop string) []int {
	list := make([]int, 0, len(shop))
	for i := range shop {
		list = append(list, 10*(i+1)+i/2*5)
	}
	return list
}

func main() {
	if len(os.Args) > 1 {
		measure()
		return
	}
	clipped, open := prices("shop"), prices("shop")
	fmt.Println("clipped", withTotal(clipped[:2:2]), "rest", clipped[2:])
	fmt.Println("open   ", withTotal(open[:2]), "rest", open[2:]) // the repair: open[:2:2]
	if open[2] != 35 || clipped[2] != 35 {
		fmt.Printf("WRONG: the third price is %d without the third index, %d with it\n", open[2], clipped[2])
		return
	}
	fmt.Println("OK")
}
