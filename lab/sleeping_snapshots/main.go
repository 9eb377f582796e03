// Each snapshot is the list of that moment and one element more. Three elements of 48 bytes fill the size class; nobody thinks of size
// classes.
package main

import (
	"fmt"
	"sort"
)

type item struct {
	name  string
	price int
	notes [3]int
}

type cart struct {
	items     []item
	snapshots map[string][]item
}

func (c *cart) preview(label string, extra item) {
	c.snapshots[label] = append(c.items, extra) // sleeps: writer
}

func total(items []item) int {
	sum := 0
	for _, it := range items {
		sum += it.price
	}
	return sum
}

func main() {
	c := &cart{snapshots: map[string][]item{}}
	c.items = append(c.items, item{"tea", 3, [3]int{}}, item{"cup", 7, [3]int{}}, item{"pot", 20, [3]int{}})
	c.preview("gift", item{"ribbon", 1, [3]int{}})
	c.preview("express", item{"courier", 12, [3]int{}})
	var labels []string
	for label := range c.snapshots {
		labels = append(labels, label)
	}
	sort.Strings(labels)
	for _, label := range labels {
		fmt.Println(label, total(c.snapshots[label]))
	}
	if total(c.snapshots["gift"]) != 31 {
		fmt.Println("WRONG: the gift costs", total(c.snapshots["gift"]))
		return
	}
	fmt.Println("OK")
}
