// Room for a new first element is made by a copy within the array. Before, the list was checked by a filter that kept
// everything, in place, so there are two headers of one array, and both may be read.
// heal-changes: the filter keeps everything and is known to share the array, which a copy does not
package main

import "fmt"

type step struct {
	op   string
	args []int
}

//go:noinline
func valid(steps []step) []step {
	good := steps[:0]
	for _, s := range steps {
		if s.op != "" {
			good = append(good, s)
		}
	}
	return good
}

func main() {
	for n := 3; n < 8; n++ {
		plan := make([]step, n)
		for i := range plan {
			plan[i] = step{fmt.Sprint("op", i), []int{i}}
		}
		good := valid(plan)
		ops := 0
		for i := 0; i < len(plan); i++ {
			ops += len(plan[i].op)
		}
		copy(good[1:], good)
		good[0] = step{"begin", nil}
		text := ""
		for _, s := range plan {
			text += s.op + " "
		}
		want := "begin "
		for i := 0; i < n-1; i++ {
			want += fmt.Sprint("op", i, " ")
		}
		if text != want || ops != 3*n {
			fmt.Println("WRONG:", text)
			return
		}
	}
	fmt.Println("OK")
}
