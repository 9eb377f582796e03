// Intersections of sorted sets, each over its first operand.
package main

import "fmt"

func inter(a, b []int) []int {
	out := a[:0]
	i, j := 0, 0
	for i < len(a) && j < len(b) {
		switch {
		case a[i] < b[j]:
			i++
		case a[i] > b[j]:
			j++
		default:
			out = append(out, a[i])
			i++
			j++
		}
	}
	return out
}
func seq(n, k int) []int {
	var r []int
	for i := 0; i < n; i++ {
		r = append(r, i*k)
	}
	return r
}
func main() {
	acc := seq(400, 1)
	for k := 2; k < 5; k++ {
		b := seq(300, k)
		before := len(acc)
		acc = inter(acc, b)
		fmt.Println(before, len(acc))
	}
	fmt.Println(acc[:5])
}
