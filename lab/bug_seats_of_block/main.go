// A block of a hall's seats is handed to a tour operator, cut with a limit so that he cannot go beyond it; but two seats in it were sold
// already, and his appends begin at its start.
package main

import "fmt"

type hall struct{ seats []string }

type operator struct{ block []string }

//go:noinline
func (h *hall) sell(i int, to string) { h.seats[i] = to }

//go:noinline
func (o *operator) book(name string) {
	o.block = append(o.block, name) // want: ghost-write holder=heap|stack
}

//go:noinline
func (h *hall) list() string {
	all := ""
	for i, s := range h.seats {
		if s != "" {
			all += fmt.Sprintf("%d %s; ", i, s)
		}
	}
	return all
}

func main() {
	h := &hall{seats: make([]string, 12)}
	h.sell(4, "Ada")
	h.sell(5, "Bob")
	h.sell(9, "Eve")
	o := &operator{h.seats[4:4:8]}
	for i := 0; i < 3; i++ {
		o.book(fmt.Sprint("tour ", i))
	}
	fmt.Println("booked:", len(o.block))
	if got := h.list(); got != "4 Ada; 5 Bob; 9 Eve; " {
		fmt.Println("WRONG:", got)
		return
	}
	fmt.Println("OK")
}
