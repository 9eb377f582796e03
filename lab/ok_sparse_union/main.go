// Set operations that write their result into one of their operands, which is given up for it.
package main

import "fmt"

type set []int

func (s set) intersect(t set) set {
	out := s[:0]
	for i, j := 0, 0; i < len(s) && j < len(t); {
		switch {
		case s[i] < t[j]:
			i++
		case s[i] > t[j]:
			j++
		default:
			out = append(out, s[i])
			i, j = i+1, j+1
		}
	}
	return out
}

type index struct {
	lists [][]int
}

func (x *index) search(terms ...int) set {
	result := append(set(nil), x.lists[terms[0]]...)
	for _, t := range terms[1:] {
		result = result.intersect(x.lists[t])
	}
	return result
}

func main() {
	x := &index{}
	for d := 1; d <= 6; d++ {
		var list []int
		for n := d; n <= 600; n += d {
			list = append(list, n)
		}
		x.lists = append(x.lists, list)
	}
	for i := 0; i < 20; i++ {
		if got := x.search(0, 3, 5); len(got) != 50 || got[49] != 600 || len(x.lists[3]) != 150 {
			fmt.Println("WRONG:", got)
			return
		}
	}
	fmt.Println("OK")
}
