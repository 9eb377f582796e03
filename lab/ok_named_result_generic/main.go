// A generic filter with a named result, for strings, numbers and structs, turns what it kept around before it returns it. No
// caller keeps what it gave.
package main

import "fmt"

type point struct {
	x, y int
	tag  *string
}

//go:noinline
func keep[S ~[]E, E any](s S, ok func(E) bool) (out S, dropped int) {
	out = s[:0]
	for i := 0; i < len(s); i++ {
		if ok(s[i]) {
			out = append(out, s[i])
		} else {
			dropped++
		}
	}
	turn(out)
	return out, dropped
}

//go:noinline
func turn[E any](s []E) {
	for i, j := 0, len(s)-1; i < j; i, j = i+1, j-1 {
		s[i], s[j] = s[j], s[i]
	}
}

func main() {
	tag := "p"
	for round := 0; round < 5; round++ {
		words := []string{"u", "v", "", "w", "x"}
		numbers := []int32{5, 4, 3, 2, 1, -1}
		points := []point{{1, 2, &tag}, {3, 4, nil}, {5, 6, &tag}, {7, 8, &tag}}
		var a, b, c int
		words, a = keep(words, func(s string) bool { return s != "" })
		numbers, b = keep(numbers, func(n int32) bool { return n > 0 })
		points, c = keep(points, func(p point) bool { return p.tag != nil })
		text := fmt.Sprint(words, numbers, a, b, c, points[0].x, points[1].x, points[2].x, *points[0].tag)
		if text != "[x w v u] [1 2 3 4 5] 1 1 1 7 5 1p" {
			fmt.Println("WRONG:", text)
			return
		}
	}
	fmt.Println("OK")
}
