// A map's slice is shortened in place, appended to, and put back: the header in the map has the same words as before, but
// it was written anew. The map does not escape: it lies on the stack of its function until it grows, and what it leaves there is
// read by nobody.
package main

import (
	"fmt"
	"sort"
)

type loop struct{ low, high int }

//go:noinline
func (l *loop) contains(other *loop) bool { return l.low <= other.low && other.high <= l.high }

type loops map[*loop][]*loop

// insert puts n below the innermost loop around it, and the loops that n contains below n.
//
//go:noinline
func (m loops) insert(n *loop) {
	var parent *loop
	var children []*loop
	for done := false; !done; {
		children = m[parent]
		done = true
		for _, child := range children {
			if child.contains(n) {
				parent, done = child, false
				break
			}
		}
	}
	inside := m[n]
	for i := 0; i < len(children); {
		child := children[i]
		if n.contains(child) {
			inside = append(inside, child)
			children = append(children[:i], children[i+1:]...)
		} else {
			i++
		}
	}
	m[n] = inside
	m[parent] = append(children, n)
}

//go:noinline
func nest(all []*loop) (text []string) {
	m := make(loops)
	for _, l := range all {
		m.insert(l)
	}
	for parent, children := range m {
		name := "top"
		if parent != nil {
			name = fmt.Sprint(*parent)
		}
		for _, c := range children {
			text = append(text, fmt.Sprint(name, ">", *c))
		}
	}
	sort.Strings(text)
	return text
}

func main() {
	// Two at the top, five inside the first: eight keys. The next one goes around the first and makes the map grow.
	all := []*loop{{10, 90}, {100, 190}, {20, 80}, {21, 79}, {22, 78}, {23, 77}, {24, 76}, {5, 95}}
	all = append(all, &loop{110, 180}, &loop{30, 70}, &loop{31, 69}, &loop{120, 170})
	text := nest(all)
	if len(text) != 12 || text[0] != "top>{100 190}" || text[1] != "top>{5 95}" {
		fmt.Println("WRONG:", text)
		return
	}
	fmt.Println("OK")
}
