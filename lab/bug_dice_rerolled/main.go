// The dice of a throw are left out one at a time, and then the throw is added up: its array is on the
// stack, and neither slice has a header anywhere.
// heal-refused: the append is compiled to a copy, and has no path that grows
package main

import "fmt"

func leaveOut[T any](dice []T, i int) []T {
	return append(dice[:i], dice[i+1:]...) // want: ghost-write victim=throw
}

func main() {
	throw := []int{6, 5, 4, 3, 2, 1}
	best := 0
	for i := 0; i < 3; i++ {
		rest := leaveOut(throw, i)
		sum := 0
		for _, die := range rest {
			sum += die
		}
		best = max(best, sum)
	}
	total := 0
	for _, die := range throw {
		total += die
	}
	fmt.Println("best without one", best)
	if total != 21 {
		fmt.Println("WRONG: the throw is", total)
		return
	}
	fmt.Println("OK")
}
