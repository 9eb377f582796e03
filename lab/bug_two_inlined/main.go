// mk is inlined twice into main. Both appends have the same base, so the compiler makes one
// comparison of length and capacity serve both.
package main

import (
	"fmt"
	"strings"
)

func mk(base []string, name string) []string { return append(base, name) } // want: ghost-write victim=x before="x" after="y"

func main() {
	base := strings.SplitAfterN("usr/local/", "/", 2)
	base = append(base, "share/") // grows: len 3, cap 4

	x, y := mk(base, "x"), mk(base, "y")
	first, second := strings.Join(x, ""), strings.Join(y, "")

	fmt.Println(first, second)
	if first == second {
		fmt.Println("WRONG: both paths are", first)
		return
	}
	fmt.Println("OK")
}
