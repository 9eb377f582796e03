// The victim lies deep: a slice of structs, in a map, in a struct behind a pointer.
package main

import "fmt"

type column struct {
	name  string
	cells []int
}

type table struct {
	sheets map[string][]column
}

func (t *table) put(sheet, name string, cells []int) {
	t.sheets[sheet] = append(t.sheets[sheet], column{name, cells})
}

func main() {
	t := &table{sheets: map[string][]column{}}
	months := make([]int, 0, 12)
	for m := 1; m <= 6; m++ {
		months = append(months, 100*m)
	}
	for name, sum := range map[string]int{"plan": 2100} {
		t.put("total", name, append(months, sum))
		t.put("total", "real", append(months, sum-300)) // want: ghost-write victim=cells before="2100" after="1800"
	}
	plan := t.sheets["total"][0].cells
	fmt.Println(plan)
	if plan[6] != 2100 {
		fmt.Println("WRONG: the plan is", plan[6])
		return
	}
	fmt.Println("OK")
}
