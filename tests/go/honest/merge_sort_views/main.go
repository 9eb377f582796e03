// A merge sort with one scratch buffer for all levels.
package main

import "fmt"

func msort(xs, tmp []int) {
	if len(xs) < 2 {
		return
	}
	m := len(xs) / 2
	msort(xs[:m], tmp[:m])
	msort(xs[m:], tmp[m:])
	out := tmp[:0]
	a, b := xs[:m], xs[m:]
	for len(a) > 0 && len(b) > 0 {
		if a[0] <= b[0] {
			out = append(out, a[0])
			a = a[1:]
		} else {
			out = append(out, b[0])
			b = b[1:]
		}
	}
	out = append(out, a...)
	out = append(out, b...)
	copy(xs, out)
}
func main() {
	xs := make([]int, 777)
	s := 1
	for i := range xs {
		s = s * 48271 % 2147483647
		xs[i] = s % 1000
	}
	msort(xs, make([]int, len(xs)))
	ok := true
	for i := 1; i < len(xs); i++ {
		ok = ok && xs[i-1] <= xs[i]
	}
	fmt.Println(ok, xs[0], xs[776])
}
