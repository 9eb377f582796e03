// The same with a generic function that is too large to be inlined: the element type of its append
// comes from a dictionary, not from a constant.
package main

import (
	"fmt"
	"strings"
)

type entry[K any] struct {
	key   K
	count int
}

// insert returns entries with key counted: by raising its count, or by a new entry at the end.
func insert[K any](entries []entry[K], key K, same func(a, b K) bool) []entry[K] {
	for i := range entries {
		if same(entries[i].key, key) {
			fresh := make([]entry[K], len(entries))
			copy(fresh, entries)
			fresh[i].count++
			return fresh
		}
	}
	defer func() { // too much for the inliner
		if err := recover(); err != nil {
			fmt.Println("insert:", err)
		}
	}()
	entries = append(entries, entry[K]{key, 1}) // want: ghost-write
	return entries
}

func equal[T comparable](a, b T) bool { return a == b }

func main() {
	words := make([]entry[string], 0, 4)
	numbers := make([]entry[int32], 0, 4)
	words = insert(words, "root", strings.EqualFold)
	numbers = insert(numbers, 1, equal[int32])

	byName := [][]entry[string]{insert(words, "ann", strings.EqualFold), insert(words, "bob", strings.EqualFold)}
	byNumber := [][]entry[int32]{insert(numbers, 7, equal[int32]), insert(numbers, 8, equal[int32])}

	fmt.Println(byName, byNumber)
	if byName[0][1].key != "ann" || byNumber[0][1].key != 7 {
		fmt.Println("WRONG: the first ones hold", byName[0][1].key, byNumber[0][1].key)
		return
	}
	fmt.Println("OK")
}
