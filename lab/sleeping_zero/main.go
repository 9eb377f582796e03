// The element that would be overwritten is zero, as the slots behind a slice usually are: field indexes, the first of which is 0.
package main

import "fmt"

type field struct {
	name  string
	index []int
}

//go:noinline
func below(parent []int, at int) []int {
	return append(parent, at) // sleeps: writer
}

func main() {
	var parent []int
	for _, at := range []int{2, 0, 1, 3, 0, 4, 1, 1} {
		parent = append(parent, at)
	}
	var fields []field
	for i, name := range []string{"ID", "Name"} {
		fields = append(fields, field{name, below(parent, i)})
	}
	for _, f := range fields {
		fmt.Println(f.name, f.index)
	}
	if fields[0].index[8] != 0 {
		fmt.Println("WRONG: the column ID is field", fields[0].index[8])
		return
	}
	fmt.Println("OK")
}
