// Defaults of a full array are extended, sorted and changed: each result is a slice of its own.
package main

import (
	"fmt"
	"sort"
)

var defaults = []string{"z", "m", "a"}

type job struct{ args []string }

func with(extra ...string) job {
	args := append(defaults, extra...)
	sort.Strings(args)
	args[0] = "first"
	return job{args}
}

func main() {
	var jobs []job
	for i := 0; i < 6; i++ {
		jobs = append(jobs, with(fmt.Sprint("x", i)))
	}
	row := []int{1, 2, 3}
	var table [][]int
	for i := 0; i < 8; i++ {
		row[0] = i
		table = append(table, append(row, i*i))
	}
	if defaults[0] != "z" || jobs[3].args[0] != "first" || table[3][0] != 3 || row[0] != 7 {
		fmt.Println("WRONG:", defaults, jobs, table, row)
		return
	}
	fmt.Println("OK")
}
