// Package slices on slices that change in place and are assigned back: Sort, Compact, Delete, Insert, Replace, Reverse, Clip, Grow.
package main

import (
	"cmp"
	"fmt"
	"slices"
)

type entry struct {
	key   string
	count int
	next  *entry
}

func main() {
	words := []string{}
	entries := make([]entry, 0, 16)
	for round := 0; round < 12; round++ {
		for i := 0; i < 5; i++ {
			words = append(words, fmt.Sprint("k", (i*3+round)%7))
			entries = append(entries, entry{key: words[len(words)-1], count: i, next: &entry{key: "n"}})
		}
		slices.Sort(words)
		words = slices.Compact(words)
		slices.SortFunc(entries, func(a, b entry) int {
			if c := cmp.Compare(a.key, b.key); c != 0 {
				return c
			}
			return cmp.Compare(a.count, b.count)
		})
		entries = slices.CompactFunc(entries, func(a, b entry) bool { return a.key == b.key })
		if len(words) > 4 {
			words = slices.Delete(words, 1, 3)
			entries = slices.DeleteFunc(entries, func(e entry) bool { return e.count == 3 })
		}
		words = slices.Insert(words, 1, "ins", "two")
		words = slices.Replace(words, 0, 1, "rep")
		slices.Reverse(words)
		entries = slices.Grow(entries, 2)
		i, found := slices.BinarySearchFunc(entries, "k3", func(e entry, k string) int { return cmp.Compare(e.key, k) })
		fmt.Println(words, len(entries), i, found)
		for _, e := range entries {
			fmt.Print(e.key, e.count, e.next.key, " ")
		}
		fmt.Println(slices.Max(words), slices.Contains(words, "two"))
		words = slices.DeleteFunc(words, func(w string) bool { return w[0] != 'k' })
	}
}
