// An immutable looking query builder: Where works on a copy of the query, but the conditions of the
// copies share one array.
package main

import (
	"fmt"
	"strings"
)

type condition struct {
	column string
	value  int
}

type query struct {
	table string
	conds []condition
}

func (q query) where(column string, value int) query {
	q.conds = append(q.conds, condition{column, value}) // want: ghost-write victim=conds before="age" after="city"
	return q
}

func (q query) sql() string {
	var parts []string
	for _, c := range q.conds {
		parts = append(parts, fmt.Sprintf("%s = %d", c.column, c.value))
	}
	return "SELECT * FROM " + q.table + " WHERE " + strings.Join(parts, " AND ")
}

func main() {
	active := query{table: "users"}.where("active", 1).where("deleted", 0).where("tenant", 12)
	queries := map[string]query{
		"grown-ups": active.where("age", 18),
		"locals":    active.where("city", 44),
	}

	got := queries["grown-ups"].sql()
	fmt.Println(got)
	if !strings.HasSuffix(got, "age = 18") {
		fmt.Println("WRONG: the query for grown-ups is", got)
		return
	}
	fmt.Println("OK")
}
