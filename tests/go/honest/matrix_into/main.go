// Matrices multiplied into the rows of a third one by appending from the start of each row.
// heal-changes: its caller is meant to see what is written
package main

import "fmt"

type mat [][]int

func mulInto(dst, a, b mat) {
	for i := range a {
		row := dst[i][:0]
		for j := range b[0] {
			s := 0
			for k := range b {
				s += a[i][k] * b[k][j] % 1009
			}
			row = append(row, s%1009)
		}
	}
}
func newm(n int) mat {
	m := make(mat, n)
	for i := range m {
		m[i] = make([]int, n)
		for j := range m[i] {
			m[i][j] = i*j%7 + 1
		}
	}
	return m
}
func main() {
	a, b, c := newm(12), newm(12), newm(12)
	for r := 0; r < 20; r++ {
		mulInto(c, a, b)
		a, c = c, a
	}
	t := 0
	for _, r := range a {
		for _, v := range r {
			t = t*31%1000003 + v
		}
	}
	fmt.Println(t)
}
