// A stack machine whose calls leave their results where their arguments were: they are appended to the stack below the frame, and read
// by position in the one stack afterwards.
// heal-changes: the machine is meant to see what is written
package main

import "fmt"

type frame struct{ pc, base int }

type machine struct {
	stack  []int
	top    int
	frames []frame
}

//go:noinline
func (m *machine) enter(pc int, args ...int) {
	m.frames = append(m.frames, frame{pc, m.top})
	m.top += copy(m.stack[m.top:], args)
}

// leave takes the n results that are on top and puts them in the place of the frame.
//
//go:noinline
func (m *machine) leave(n int) int {
	last := m.frames[len(m.frames)-1]
	m.frames = m.frames[:len(m.frames)-1]
	results := m.stack[:last.base]
	for _, v := range m.stack[m.top-n : m.top] {
		results = append(results, v)
	}
	m.top = len(results)
	return last.pc
}

type instruction func(s *store, base int) []string

type store struct{ slots []string }

// split gives back the part of the slots that is in use afterwards.
//
//go:noinline
func split(s *store, base int) []string {
	word := s.slots[base]
	half := len(word) / 2
	results := s.slots[:base]
	results = append(results, word[:half])
	return append(results, word[half:])
}

//go:noinline
func (s *store) run(do instruction, base int) int {
	return len(do(s, base))
}

func main() {
	m := &machine{stack: make([]int, 64)}
	for round := 1; round < 60; round++ {
		m.top = round % 5
		m.enter(round, round*3, round+1, round%7)
		a, b, c := m.stack[m.top-3], m.stack[m.top-2], m.stack[m.top-1]
		m.stack[m.top], m.stack[m.top+1] = a*b, b+c
		m.top += 2
		if pc := m.leave(2); pc != round || m.top != round%5+2 {
			fmt.Println("WRONG:", pc, m.top)
			return
		}
		if m.stack[m.top-2] != round*3*(round+1) || m.stack[m.top-1] != round+1+round%7 {
			fmt.Println("WRONG:", round, m.stack[:m.top])
			return
		}
	}
	s := &store{slots: make([]string, 12)}
	for round := 0; round < 60; round++ {
		base := round % 4
		s.slots[base] = fmt.Sprintf("left%02dright%02d", round, round)
		used := s.run(split, base)
		if got := s.slots[used-2] + "," + s.slots[used-1]; got != fmt.Sprintf("left%02d,right%02d", round, round) {
			fmt.Println("WRONG:", got)
			return
		}
	}
	fmt.Println("OK")
}
