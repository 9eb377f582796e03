// Push and pop: the slot of a popped element is written by the next push.
package main

import "fmt"

type machine struct {
	stack []int
	calls []frame
}

type frame struct {
	name string
	base int
}

func (m *machine) push(v int) { m.stack = append(m.stack, v) }

func (m *machine) pop() int {
	v := m.stack[len(m.stack)-1]
	m.stack = m.stack[:len(m.stack)-1]
	return v
}

func (m *machine) call(name string, n int) {
	m.calls = append(m.calls, frame{name, len(m.stack)})
	m.push(n)
	if n > 1 {
		m.call(name, n-1)
		v := m.pop()
		m.push(m.pop() * v)
	}
	m.calls = m.calls[:len(m.calls)-1]
}

func main() {
	m := &machine{}
	for i := 0; i < 50; i++ {
		m.call("fac", 10)
		if got := m.pop(); got != 3628800 {
			fmt.Println("WRONG:", got)
			return
		}
	}
	if len(m.stack) != 0 || len(m.calls) != 0 {
		fmt.Println("WRONG:", m)
		return
	}
	fmt.Println("OK")
}
