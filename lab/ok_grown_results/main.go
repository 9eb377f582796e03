// Backtracking done right: the results are copies, in a slice that grows all the time; only the path is shared, and each
// branch is done with it before the next one begins.
package main

import "fmt"

func choose(from []string, k int, path []string, all [][]string) [][]string {
	if k == 0 {
		return append(all, append([]string(nil), path...))
	}
	for i := range from {
		all = choose(from[i+1:], k-1, append(path, from[i]), all)
	}
	return all
}

func main() {
	all := choose([]string{"a", "b", "c", "d", "e", "f"}, 3, make([]string, 0, 3), nil)
	seen := map[string]bool{}
	for _, c := range all {
		seen[fmt.Sprint(c)] = true
	}
	fmt.Println(len(all), all[0], all[len(all)-1])
	if len(seen) != 20 || fmt.Sprint(all[0]) != "[a b c]" {
		fmt.Println("WRONG:", len(seen))
		return
	}
	fmt.Println("OK")
}
