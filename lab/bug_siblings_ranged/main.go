// Two baskets start with the same prices; the first one is summed up in a loop, which needs its
// pointer and its length, and never its capacity.
package main

import (
	"fmt"
	"strconv"
	"strings"
)

//go:noinline
func parse(text string) []int {
	fields := strings.Fields(text)
	prices := make([]int, 0, len(fields)+1)
	for _, field := range fields {
		price, _ := strconv.Atoi(field)
		prices = append(prices, price)
	}
	return prices
}

func main() {
	start := parse("5 10 20") // len 3, cap 4
	first := append(start, 100)
	second := append(start, 900) // want: ghost-write victim=first before="100" after="900"

	sum := 0
	for _, price := range first {
		sum += price
	}
	fmt.Println("first", sum, "second has", len(second))
	if sum != 135 {
		fmt.Println("WRONG: the first basket costs", sum)
		return
	}
	fmt.Println("OK")
}
