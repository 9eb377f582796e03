// Subsets by recursion, the classic exercise: the current subset is appended to the results without a
// copy, later branches write into it.
package main

import "fmt"

func subsets(items string, current []byte, all [][]byte) [][]byte {
	all = append(all, current)
	for i := range items {
		all = subsets(items[i+1:], append(current, items[i]), all) // want: ghost-write
	}
	return all
}

func main() {
	all := subsets("abcd", make([]byte, 0, 2), nil)
	seen := map[string]int{}
	for _, s := range all {
		seen[string(s)]++
	}
	fmt.Println(len(all), "subsets,", len(seen), "different ones")
	if len(seen) != len(all) {
		fmt.Println("WRONG: some subsets are there twice")
		return
	}
	fmt.Println("OK")
}
