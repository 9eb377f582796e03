// A merge sort with scratch that is cut in two at each level; a helper merges both halves back into the list by appending.
// heal-changes: whoever has the slice is meant to see what is written
package main

import (
	"fmt"
	"strings"
)

//go:noinline
func merge(dst, a, b []string) []string {
	for len(a) > 0 && len(b) > 0 {
		if a[0] <= b[0] {
			dst, a = append(dst, a[0]), a[1:]
		} else {
			dst, b = append(dst, b[0]), b[1:]
		}
	}
	dst = append(dst, a...)
	return append(dst, b...)
}

func sortStrings(xs, buf []string) {
	if len(xs) <= 1 {
		return
	}
	m := len(xs) / 2
	sortStrings(xs[:m], buf[:m])
	sortStrings(xs[m:], buf[m:])
	left := buf[:0]
	left = append(left, xs[:m]...)
	right := append(buf[m:m], xs[m:]...)
	merge(xs[:0], left, right)
}

func main() {
	for round := 0; round < 40; round++ {
		xs := strings.Fields(fmt.Sprintf("pear fig date%d plum apple kiwi nut grape lime bean corn rice%d", round%7, round%5))
		sortStrings(xs, make([]string, len(xs)))
		for i := 1; i < len(xs); i++ {
			if xs[i-1] > xs[i] {
				fmt.Println("WRONG:", xs)
				return
			}
		}
	}
	fmt.Println("OK")
}
