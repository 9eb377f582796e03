// Queries that are extended many ways, each from a copy.
package main

import (
	"fmt"
	"strings"
)

type query struct {
	where []string
	args  []any
	limit int
}

func from(q query) query {
	q.where = append([]string(nil), q.where...)
	q.args = append([]any(nil), q.args...)
	return q
}
func (q query) and(w string, a ...any) query {
	n := from(q)
	n.where = append(n.where, w)
	n.args = append(n.args, a...)
	return n
}
func (q query) sql() string { return strings.Join(q.where, " AND ") + fmt.Sprint(q.args) }
func main() {
	b := query{}.and("a=?", 1).and("b=?", 2)
	var qs []query
	for i := 0; i < 30; i++ {
		qs = append(qs, b.and(fmt.Sprintf("c%d=?", i), i).and("d in (?,?)", i, i+1))
	}
	for i := 0; i < 30; i += 7 {
		fmt.Println(qs[i].sql())
	}
}
