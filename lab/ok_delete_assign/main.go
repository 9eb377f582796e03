// s = append(s[:i], s[i+1:]...): the shifted slice replaces the old one everywhere.
package main

import "fmt"

type list struct {
	items []string
}

func (l *list) remove(i int) { l.items = append(l.items[:i], l.items[i+1:]...) }

func main() {
	l := &list{}
	local := []int{}
	for i := 0; i < 300; i++ {
		l.items = append(l.items, fmt.Sprintf("item-%03d", i))
		local = append(local, i)
		if len(l.items) > 6 {
			l.remove(i % 6)
			local = append(local[:2], local[3:]...)
		}
	}
	if l.items[5] != "item-299" || local[5] != 299 || len(local) != 6 {
		fmt.Println("WRONG:", l.items, local)
		return
	}
	fmt.Println("OK")
}
