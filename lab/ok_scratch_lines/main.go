// A pretty printer that wraps nested lists with one slice for pending items: each depth gets what is left of it, uses it up to its
// own length and hands the rest on.
package main

import (
	"fmt"
	"strings"
)

type list struct {
	name  string
	items []list
}

func layout(l list, pending []string) string {
	mine := pending[:0]
	for _, item := range l.items {
		mine = append(mine, item.name)
	}
	rest := pending[len(mine):]
	lines := make([]string, 0, len(mine))
	for i, item := range l.items {
		lines = append(lines, mine[i]+"("+layout(item, rest)+")")
	}
	return strings.Join(lines, " ")
}

func make3(depth int, name string) list {
	l := list{name: name}
	for i := 0; depth > 0 && i < 3; i++ {
		l.items = append(l.items, make3(depth-1, fmt.Sprint(name, i)))
	}
	return l
}

func main() {
	tree := make3(4, "n")
	pending := make([]string, 64)
	first := layout(tree, pending)
	for i := 0; i < 5; i++ {
		if got := layout(tree, pending); got != first {
			fmt.Println("WRONG:", got)
			return
		}
	}
	if !strings.HasPrefix(first, "n0(n00(n000(n0000() n0001() n0002())") {
		fmt.Println("WRONG:", first[:60])
		return
	}
	fmt.Println("OK")
}
