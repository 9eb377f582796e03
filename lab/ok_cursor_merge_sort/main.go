// A merge writes over the slice that it was handed, from its start; its callers go on with theirs.
//
// heal-changes: the callers read what was merged into their slices
package main

import "fmt"

//go:noinline
func mergeSort(xs, buf []int) {
	if len(xs) < 2 {
		return
	}
	m := len(xs) / 2
	mergeSort(xs[:m], buf)
	mergeSort(xs[m:], buf)
	left := append(buf[:0], xs[:m]...)
	right := xs[m:]
	out := xs[:0]
	for len(left) > 0 && len(right) > 0 {
		if left[0] <= right[0] {
			out = append(out, left[0])
			left = left[1:]
		} else {
			out = append(out, right[0])
			right = right[1:]
		}
	}
	out = append(out, left...)
	append2(out, right)
}

func append2(out, right []int) { _ = append(out, right...) }

func main() {
	for round := 0; round < 40; round++ {
		xs := make([]int, 33)
		for i := range xs {
			xs[i] = (i*17+round*5)%101 + 1
		}
		mergeSort(xs, make([]int, 33))
		for i := 1; i < len(xs); i++ {
			if xs[i-1] > xs[i] {
				fmt.Println("WRONG:", xs)
				return
			}
		}
	}
	fmt.Println("OK")
}
