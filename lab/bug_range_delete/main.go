// An element is removed in place while somebody ranges over the same array: range works on a copy of
// the header, a copy that the debug information does not name.
package main

import "fmt"

type bus struct {
	handlers []func(*bus, int)
	seen     []int
}

func (b *bus) remove(i int) {
	b.handlers = append(b.handlers[:i], b.handlers[i+1:]...) // want: ghost-write
}

func (b *bus) publish() {
	for i, h := range b.handlers {
		h(b, i)
	}
}

func main() {
	b := &bus{}
	for n := 0; n < 4; n++ {
		n := n
		b.handlers = append(b.handlers, func(b *bus, i int) {
			b.seen = append(b.seen, n)
			if n == 1 {
				b.remove(i) // once only
			}
		})
	}
	b.publish()
	fmt.Println(b.seen)
	if fmt.Sprint(b.seen) != "[0 1 2 3]" {
		fmt.Println("WRONG: handlers ran in the order", b.seen)
		return
	}
	fmt.Println("OK")
}
