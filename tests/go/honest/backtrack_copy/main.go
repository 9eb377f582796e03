// Subsets by backtracking over one path with room to spare; what is kept is a copy.
package main

import "fmt"

func subsets(xs []int, path []int, k int, out *[][]int) {
	if len(path) == k {
		*out = append(*out, append([]int(nil), path...))
		return
	}
	for i, x := range xs {
		subsets(xs[i+1:], append(path, x), k, out)
	}
}
func main() {
	var out [][]int
	subsets([]int{1, 2, 3, 4, 5, 6, 7, 8, 9}, make([]int, 0, 16), 4, &out)
	s := 0
	for _, p := range out {
		for i, v := range p {
			s = s*31 + v*i
		}
	}
	fmt.Println(len(out), s, out[7], out[100])
}
