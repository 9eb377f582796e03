// Siblings made the safe way: append(s[:n:n], x) and slices.Clip leave no room to share.
package main

import (
	"fmt"
	"slices"
)

type query struct {
	conds []string
}

func (q query) where(c string) query {
	n := len(q.conds)
	return query{append(q.conds[:n:n], c)}
}

func (q query) or(c string) query { return query{append(slices.Clip(q.conds), c)} }

func main() {
	base := query{}
	for _, c := range []string{"a", "b", "c"} {
		base = base.where(c)
	}
	var all []query
	for i := 0; i < 50; i++ {
		all = append(all, base.where(fmt.Sprint("w", i)), base.or(fmt.Sprint("o", i)))
	}
	for i := 0; i < 50; i++ {
		if all[2*i].conds[3] != fmt.Sprint("w", i) || all[2*i+1].conds[3] != fmt.Sprint("o", i) {
			fmt.Println("WRONG:", all[2*i], all[2*i+1])
			return
		}
	}
	fmt.Println("OK")
}
