// Buffers and stacks of numbers that are used by position: backtracking over one path, a depth-first
// visit, local buffers that are emptied when they are full, a merge into a buffer that is given back.
// heal-changes: it drops what append returns, and reads the appended numbers through its own slice
package main

import "fmt"

type point struct{ x, y int }

//go:noinline
func room(n int) []int { return make([]int, n) }

//go:noinline
func points(n int) []point { return make([]point, n) }

func local(vals []int) (sum int) {
	buf, n := room(4), 0
	for round := 0; round < 5; round++ {
		for _, v := range vals {
			if n == cap(buf) {
				for _, b := range buf[:n] {
					sum += b
				}
				n = 0
			}
			n = len(append(buf[:n], v+round))
		}
	}
	for _, b := range buf[:n] {
		sum += b
	}
	return sum
}

func local2(vals []int) (sum int) {
	buf, n := points(3), 0
	for round := 0; round < 5; round++ {
		for _, v := range vals {
			if n == len(buf) {
				for i := 0; i < n; i++ {
					sum += buf[i].x
				}
				n = 0
			}
			n = len(append(buf[:n], point{v, round + 1}))
		}
	}
	for i := range buf[:n] {
		sum += buf[i].y
	}
	return sum
}

type st struct {
	stack []int
	depth int
}

func (s *st) visit(d, v int) int {
	s.stack = append(s.stack[:d], v)
	t := 0
	for _, x := range s.stack {
		t += x
	}
	if d < 5 {
		t += s.visit(d+1, v*3) + s.visit(d+1, v*5)
	}
	return t
}

func walk(path []int, d int) int {
	if d == 4 {
		s := 0
		for _, x := range path {
			s = s*10 + x
		}
		return s
	}
	t := 0
	for i := 1; i <= 3; i++ {
		t += walk(append(path[:d], i), d+1)
	}
	return t
}

func merge(a, b []int, out []int) []int {
	out = out[:0]
	for len(a) > 0 && len(b) > 0 {
		if a[0] < b[0] {
			out, a = append(out, a[0]), a[1:]
		} else {
			out, b = append(out, b[0]), b[1:]
		}
	}
	out = append(out, a...)
	return append(out, b...)
}

func main() {
	s := &st{}
	out := room(8)
	m := 0
	for i := 0; i < 4; i++ {
		out = merge([]int{1 + i, 4, 6}, []int{2, 3 + i, 9, 11}, out)
		m += out[i]
	}
	fmt.Println(local([]int{5, 6, 7, 8, 9, 10}), local2([]int{1, 2, 3, 4, 5}), s.visit(0, 1), walk(room(8), 0), walk(make([]int, 0, 8), 0), m)
}
