// The result goes through a second variable: `next := out`, some work, `rows = next`. The old header of rows is not used
// between the first append and the assignment but by the loop that filters.
package main

import (
	"fmt"
	"slices"
	"strings"
)

type row struct {
	key, value string
}

func table(text string) string {
	var rows []row
	for _, pair := range strings.Split(text, ",") {
		k, v, _ := strings.Cut(pair, "=")
		rows = append(rows, row{k, v})
	}
	out := rows[:0]
	for i := 0; i < len(rows); i++ {
		if strings.TrimSpace(rows[i].value) != "" {
			out = append(out, rows[i])
		}
	}
	next := out
	size := 0
	for _, r := range next {
		size += len(r.key) + len(r.value)
	}
	rows = next
	slices.SortFunc(rows, func(a, b row) int { return strings.Compare(a.key, b.key) })
	var b strings.Builder
	for _, r := range rows {
		b.WriteString(r.key + r.value)
	}
	if b.Len() != size {
		return "another size"
	}
	return b.String()
}

func main() {
	for _, c := range [][2]string{{"z=1,y=2,x=3", "x3y2z1"}, {"b=,d=4,c=3,a=1", "a1c3d4"}, {"q=9,p=8", "p8q9"}} {
		if got := table(c[0]); got != c[1] {
			fmt.Println("WRONG:", got)
			return
		}
	}
	fmt.Println("OK")
}
