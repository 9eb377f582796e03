// A generic, immutable looking set: With returns a new set that shares the spare capacity of the old.
package main

import "fmt"

type set[T comparable] struct {
	items []T
}

func (s *set[T]) with(v T) *set[T] { return &set[T]{append(s.items, v)} } // want: ghost-write victim=items before="red|17" after="blue|18"

func (s *set[T]) has(v T) bool {
	for _, x := range s.items {
		if x == v {
			return true
		}
	}
	return false
}

func main() {
	words := &set[string]{}
	numbers := &set[int]{}
	for i, w := range []string{"cyan", "magenta", "yellow"} {
		words = words.with(w)
		numbers = numbers.with(i + 1)
	}
	red, blue := words.with("red"), words.with("blue")
	a, b := numbers.with(17), numbers.with(18)

	fmt.Println(red.items, blue.items, a.items, b.items)
	if !red.has("red") || !a.has(17) {
		fmt.Println("WRONG: red is", red.items, "a is", a.items)
		return
	}
	fmt.Println("OK")
}
