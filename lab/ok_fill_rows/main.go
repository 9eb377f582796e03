// A product of matrices is written into the rows of a third one by appending to each row from its start: the rows are read through the
// matrix afterwards, as they are meant to be.
package main

import "fmt"

type matrix [][]int

func newMatrix(n, seed int) matrix {
	m := make(matrix, n)
	for i := range m {
		m[i] = make([]int, n)
		for j := range m[i] {
			m[i][j] = (i*seed+j)%9 + 1
		}
	}
	return m
}

func multiply(into, a, b matrix) {
	for i := range a {
		row := into[i][:0]
		for j := range b[0] {
			sum := 0
			for k := range b {
				sum += a[i][k] * b[k][j]
			}
			row = append(row, sum%97+1)
		}
	}
}

func trace(m matrix) int {
	sum := 0
	for i := range m {
		sum += m[i][i]
	}
	return sum
}

func main() {
	a, b := newMatrix(9, 3), newMatrix(9, 5)
	first := make([]int, 0, 2)
	for round := 0; round < 2; round++ {
		x, y := newMatrix(9, 3), newMatrix(9, 7)
		for i := 0; i < 12; i++ {
			multiply(y, x, b)
			x, y = y, x
		}
		first = append(first, trace(x))
	}
	if first[0] != first[1] || trace(a) != trace(newMatrix(9, 3)) {
		fmt.Println("WRONG:", first)
		return
	}
	fmt.Println("OK")
}
