// kept := items[:0]: the filtered slice replaces the one it was made from.
package main

import "fmt"

func odd(items []int) []int {
	kept := items[:0]
	for _, v := range items {
		if v%2 == 1 {
			kept = append(kept, v)
		}
	}
	return kept
}

func main() {
	sum := 0
	for round := 0; round < 100; round++ {
		var items []int
		for i := 0; i < 20; i++ {
			items = append(items, round+i)
		}
		items = odd(items)
		for _, v := range items {
			sum += v
		}
	}
	if sum != 59000 {
		fmt.Println("WRONG:", sum)
		return
	}
	fmt.Println("OK")
}
