// A method on a pointer receiver works on a copy of the field's header: rows is filtered in place, stored back, and ordered
// through the field with the table's own Swap. Rows are strings, the table is sort.Interface.
package main

import (
	"fmt"
	"sort"
	"strings"
)

type table struct {
	rows  []string
	moves int
}

func (t *table) Len() int           { return len(t.rows) }
func (t *table) Less(i, j int) bool { return t.rows[i] > t.rows[j] }
func (t *table) Swap(i, j int)      { t.rows[i], t.rows[j] = t.rows[j], t.rows[i]; t.moves++ }

func (t *table) compact() *table {
	rows := t.rows
	n := 0
	for i := range rows {
		if i > 0 && rows[i] == rows[i-1] {
			continue
		}
		t.rows = append(t.rows[:n], rows[i])
		n++
	}
	sort.Sort(t)
	return t
}

func main() {
	for _, c := range [][2]string{{"a a b c", "c b a"}, {"k l m n", "n m l k"}, {"x x x y z z", "z y x"}} {
		t := (&table{rows: strings.Fields(c[0])}).compact()
		if got := strings.Join(t.rows, " "); got != c[1] || t.moves == 0 {
			fmt.Println("WRONG:", got)
			return
		}
	}
	fmt.Println("OK")
}
