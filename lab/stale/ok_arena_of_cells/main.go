// Cells are dealt from an array that grows; whoever has one keeps it, wherever the array goes, and the array is only used to deal.
package main

import "fmt"

type cell struct {
	value int
	next  *cell
}

type arena struct{ cells []cell }

func (a *arena) make(value int) *cell {
	a.cells = append(a.cells, cell{value: value})
	return &a.cells[len(a.cells)-1]
}

func main() {
	a := &arena{}
	var head *cell
	for i := 0; i < 50; i++ {
		c := a.make(i)
		c.next = head
		head = c
	}
	sum := 0
	for c := head; c != nil; c = c.next {
		c.value *= 2
		sum += c.value
	}
	if sum != 2450 {
		fmt.Println("WRONG:", sum)
		return
	}
	fmt.Println("OK")
}
