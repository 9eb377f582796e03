// A ring buffer over one array: old entries are overwritten because they are old.
// heal-changes: it is full when its length is the capacity, and a copy has another one
package main

import "fmt"

type ring struct {
	slots []string
	next  int
}

func (r *ring) add(s string) {
	if len(r.slots) < cap(r.slots) {
		r.slots = append(r.slots, s)
		return
	}
	r.slots = append(r.slots[:r.next], append([]string{s}, r.slots[r.next+1:]...)...)
	r.next = (r.next + 1) % len(r.slots)
}

func (r *ring) oldest() string { return r.slots[r.next] }

func main() {
	r := &ring{slots: make([]string, 0, 8)}
	for i := 0; i < 200; i++ {
		r.add(fmt.Sprintf("event-%03d", i))
	}
	if r.oldest() != "event-192" || len(r.slots) != 8 {
		fmt.Println("WRONG:", r.oldest(), r.slots)
		return
	}
	fmt.Println("OK")
}
