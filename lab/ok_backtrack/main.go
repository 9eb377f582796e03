// Backtracking done right: one path is extended and cut again, results are copies.
package main

import "fmt"

type search struct {
	path  []int
	found [][]int
}

func (s *search) permute(n int, used int) {
	if len(s.path) == n {
		s.found = append(s.found, append([]int(nil), s.path...))
		return
	}
	for i := 0; i < n; i++ {
		if used&(1<<i) == 0 {
			s.path = append(s.path, i)
			s.permute(n, used|1<<i)
			s.path = s.path[:len(s.path)-1]
		}
	}
}

func walk(n int, path []int, count *int) {
	if len(path) == n {
		*count += path[0] + path[n-1]
		return
	}
	for i := 0; i < n; i++ {
		walk(n, append(path, i), count) // shares its slot with the sibling before, which is done
	}
}

func main() {
	s := &search{}
	s.permute(5, 0)
	seen := map[string]bool{}
	for _, p := range s.found {
		seen[fmt.Sprint(p)] = true
	}
	count := 0
	walk(4, make([]int, 0, 4), &count)
	if len(seen) != 120 || count != 768 {
		fmt.Println("WRONG:", len(seen), count)
		return
	}
	fmt.Println("OK")
}
