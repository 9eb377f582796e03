// The victim is an array on the stack that is read by its own name: there is no slice header that
// could be found, the length is part of the code.
// want-miss: an array variable has no header in memory
package main

import "fmt"

func total(values []int) (sum int) {
	for _, v := range values {
		sum += v
	}
	return sum
}

// Inlined, the append would be a store at a known place, without a check of the capacity.
//
//go:noinline
func withTax(values []int) int { return total(append(values, 1000)) } // want: ghost-write before="30" after="1000"

func main() {
	prices := [4]int{10, 20, 30, 40}
	fmt.Println("first two with tax:", withTax(prices[:2]))

	sum := 0
	for i := range prices {
		sum += prices[i]
	}
	if sum != 100 {
		fmt.Println("WRONG: all prices are", sum)
		return
	}
	fmt.Println("OK")
}
