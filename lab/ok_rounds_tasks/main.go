// A work list of interfaces: what is done leaves the list, in place, round by round, and what is left is put in another
// order. Every round reads the list through what the last one assigned.
package main

import (
	"fmt"
	"slices"
)

type task interface {
	step() bool
	weight() int
}

type short struct{ n int }
type long struct {
	name  string
	steps int
}

func (s *short) step() bool  { s.n--; return s.n > 0 }
func (s *short) weight() int { return s.n }
func (l *long) step() bool   { l.steps -= 2; return l.steps > 0 }
func (l *long) weight() int  { return 10 + l.steps }

func run(tasks []task, fresh bool) (rounds, sum int) {
	for ; len(tasks) > 0; rounds++ {
		left := tasks[:0]
		if fresh {
			left = nil
		}
		for i := 0; i < len(tasks); i++ {
			if tasks[i].step() {
				left = append(left, tasks[i])
			}
		}
		tasks = left
		slices.SortStableFunc(tasks, func(a, b task) int { return b.weight() - a.weight() })
		for i, t := range tasks {
			sum += (i + 1) * t.weight()
		}
	}
	return rounds, sum
}

func tasks(n int) []task {
	return []task{&short{2 + n}, &long{"a", 9}, &short{5}, &long{"b", 4 + n}, &short{1}}
}

func main() {
	for n := 0; n < 4; n++ {
		rounds, sum := run(tasks(n), false)
		if r, s := run(tasks(n), true); rounds != r || sum != s || sum == 0 {
			fmt.Println("WRONG:", rounds, sum)
			return
		}
	}
	fmt.Println("OK")
}
