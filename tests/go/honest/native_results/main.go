// A machine's native functions append their results to the stack below their arguments, and the machine reads them there.
// heal-changes: whoever has the slice is meant to see what is written
package main

import "fmt"

type vm struct {
	stack []int
	top   int
}

type fn func(m *vm, base int) []int

// divmod leaves its two results where its arguments were.
//
//go:noinline
func divmod(m *vm, base int) []int {
	a, b := m.stack[base], m.stack[base+1]
	results := m.stack[:base]
	results = append(results, a/b)
	results = append(results, a%b)
	return results
}

//go:noinline
func (m *vm) call(f fn, args ...int) {
	base := m.top
	copy(m.stack[base:], args)
	m.top = base + len(args)
	results := f(m, base)
	m.top = len(results)
}

func main() {
	m := &vm{stack: make([]int, 32)}
	for round := 1; round < 80; round++ {
		m.top = round % 5
		m.call(divmod, round*17+3, round%7+2)
		q, r := m.stack[m.top-2], m.stack[m.top-1]
		if q*(round%7+2)+r != round*17+3 {
			fmt.Println("WRONG:", round, q, r)
			return
		}
	}
	fmt.Println("OK")
}
