// A pipeline of generic stages, each of which filters or maps its slice in place and hands the result on; in between it is sorted.
package main

import (
	"fmt"
	"slices"
	"strings"
)

type stage[T any] func([]T) []T

func where[T any](ok func(T) bool) stage[T] {
	return func(all []T) []T {
		out := all[:0]
		for _, x := range all {
			if ok(x) {
				out = append(out, x)
			}
		}
		return out
	}
}

func with[T any](f func(T) T) stage[T] {
	return func(all []T) []T {
		for i := range all {
			all[i] = f(all[i])
		}
		return all
	}
}

func by[T any](compare func(a, b T) int) stage[T] {
	return func(all []T) []T {
		slices.SortStableFunc(all, compare)
		return all
	}
}

func run[T any](all []T, stages ...stage[T]) []T {
	for _, s := range stages {
		all = s(all)
	}
	return all
}

type line struct {
	n    int
	text string
}

func main() {
	for round := 0; round < 8; round++ {
		var words []string
		var lines []*line
		for i := 0; i < 10; i++ {
			w := fmt.Sprint(string(rune('a'+(i*5+round)%26)), i)
			words = append(words, w)
			lines = append(lines, &line{i, w})
		}
		words = run(words, by(strings.Compare), where(func(w string) bool { return w != "c" }), with(strings.ToUpper),
			by(func(a, b string) int { return strings.Compare(b, a) }), where(func(w string) bool { return w[1] != '3' }))
		lines = run(lines, where(func(l *line) bool { return l.n >= 0 }), by(func(a, b *line) int { return strings.Compare(a.text, b.text) }),
			where(func(l *line) bool { return l.n%4 != 1 }), by(func(a, b *line) int { return b.n - a.n }))
		fmt.Println(words)
		for _, l := range lines {
			fmt.Print(l.n, l.text, " ")
		}
		fmt.Println()
	}
}
