// A closure holds the list; another one filters it in place into a local, hands it to a setter, and sorts it. The
// list is on the heap, for the closures share it, and it has the result before it is read.
package main

import (
	"fmt"
	"slices"
	"strings"
)

func newList(words ...string) (drop func(string), sorted func() []string) {
	list := words
	set := func(w []string) { list = w }
	drop = func(prefix string) {
		all := list
		rest := all[:0]
		for i := 0; i < len(all); i++ {
			if !strings.HasPrefix(all[i], prefix) || len(all[i]) == 0 {
				rest = append(rest, all[i])
			}
		}
		chosen := rest
		set(chosen)
		slices.Sort(chosen)
	}
	sorted = func() []string {
		return list
	}
	return drop, sorted
}

func main() {
	drop, sorted := newList("pear", "lime", "fig", "date", "apple", "banana")
	for _, c := range [][2]string{{"x", "apple banana date fig lime pear"}, {"b", "apple date fig lime pear"}, {"fi", "apple date lime pear"}} {
		drop(c[0])
		if got := strings.Join(sorted(), " "); got != c[1] {
			fmt.Println("WRONG:", got)
			return
		}
	}
	drop, sorted = newList("c", "b", "a", "")
	drop("z")
	if got := strings.Join(sorted(), " "); got != " a b c" {
		fmt.Println("WRONG:", got)
		return
	}
	fmt.Println("OK")
}
