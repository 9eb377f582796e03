// kept is names[:0] with every name appended again: the same elements in the same array, for there is always room for what
// was there. Sorting kept sorts names, which the program relies on.
// heal-changes: the filter keeps everything and is known to share the array, which a copy does not
package main

import (
	"fmt"
	"sort"
	"strings"
)

type byLast struct {
	people []person
	swaps  int
}

type person struct {
	first, last string
	age         int
}

func (b *byLast) Len() int           { return len(b.people) }
func (b *byLast) Less(i, j int) bool { return b.people[i].last < b.people[j].last }
func (b *byLast) Swap(i, j int) {
	b.people[i], b.people[j] = b.people[j], b.people[i]
	b.swaps++
}

func adults(people []person) []person {
	kept := people[:0]
	for _, p := range people {
		if p.age >= 18 {
			kept = append(kept, p)
		}
	}
	return kept
}

func main() {
	var all []person
	for i, name := range strings.Fields("ann-zorn bea-yuma cid-xanto dan-wolf") {
		first, last, _ := strings.Cut(name, "-")
		all = append(all, person{first, last, 20 + i})
	}
	b := &byLast{people: adults(all)}
	years := 0
	for i := 0; i < len(all); i++ {
		years += all[i].age
	}
	sort.Sort(b)
	text := ""
	for _, p := range all {
		text += p.first + " "
	}
	if text != "dan cid bea ann " || b.swaps == 0 || years != 86 || len(b.people) != 4 {
		fmt.Println("WRONG:", text)
		return
	}
	fmt.Println("OK")
}
