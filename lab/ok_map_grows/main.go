// A small map on the stack outgrows it while a list in it is filtered in place and put back: the old slot keeps a header that is
// equal to the new one, and nobody looks there any more.
package main

import "fmt"

type span struct{ from, to int }

func (s *span) holds(o *span) bool { return s.from <= o.from && o.to <= s.to && s != o }

type tree map[*span][]*span

func (t tree) insert(parent, s *span) {
	for {
		var inside *span
		for _, child := range t[parent] {
			if child.holds(s) {
				inside = child
				break
			}
		}
		if inside == nil {
			break
		}
		parent = inside
	}
	children := t[parent]
	below := t[s]
	for i := 0; i < len(children); {
		if child := children[i]; s.holds(child) {
			below = append(below, child)
			children = append(children[:i], children[i+1:]...)
		} else {
			i++
		}
	}
	t[s] = below
	t[parent] = append(children, s)
}

//go:noinline
func build(spans []*span) (sum int) {
	t := make(tree)
	for _, s := range spans {
		t.insert(nil, s)
	}
	for _, s := range spans {
		sum = sum*3 + len(t[s])
	}
	return sum*3 + len(t[nil])
}

func main() {
	total := 0
	for round := 0; round < 12; round++ {
		var spans []*span
		for i := 0; i < 6+round; i++ {
			at := (i * 7) % 23 * 10
			spans = append(spans, &span{at, at + 4 + i%3})
			if i%2 == 1 {
				spans = append(spans, &span{at - 5, at + 12})
			}
		}
		total += build(spans) % 100003
	}
	if total != 474781 {
		fmt.Println("WRONG:", total)
		return
	}
	fmt.Println("OK")
}
