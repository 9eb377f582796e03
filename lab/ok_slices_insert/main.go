// slices.Insert with its result assigned, into room that was left by deletions.
package main

import (
	"fmt"
	"slices"
	"sort"
)

type index struct {
	keys []int
}

func (x *index) add(k int) {
	i, found := slices.BinarySearch(x.keys, k)
	if !found {
		x.keys = slices.Insert(x.keys, i, k)
	}
}

func (x *index) drop(k int) {
	if i, found := slices.BinarySearch(x.keys, k); found {
		x.keys = slices.Delete(x.keys, i, i+1)
	}
}

func main() {
	x := &index{}
	for i := 0; i < 500; i++ {
		x.add(i * 37 % 101)
		x.add(i * 53 % 97)
		x.drop(i * 29 % 103)
	}
	if !sort.IntsAreSorted(x.keys) || len(x.keys) == 0 {
		fmt.Println("WRONG:", x.keys)
		return
	}
	fmt.Println("OK")
}
