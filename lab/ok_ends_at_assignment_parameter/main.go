// The victim is a parameter: its header came in registers, was spilled where the caller has room for it, and is assigned in the
// middle of the function. A recursion below reads the new header in the same words.
package main

import "fmt"

type leaf struct {
	weight int
	name   *string
}

func join(a, b *string) *string {
	s := "(" + *a + *b + ")"
	return &s
}

//go:noinline
func (l leaf) isNamed() bool { return l.name != nil && *l.name != "" }

//go:noinline
func lightFirst(leaves []leaf) {
	for i := range leaves {
		for j := i; j > 0 && leaves[j].weight < leaves[j-1].weight; j-- {
			leaves[j], leaves[j-1] = leaves[j-1], leaves[j]
		}
	}
}

func merge(leaves []leaf, fresh bool) string {
	if len(leaves) == 1 {
		return *leaves[0].name
	}
	out := leaves[:0]
	if fresh {
		out = nil
	}
	for i := 0; i < len(leaves); i++ {
		if leaves[i].isNamed() {
			out = append(out, leaves[i])
		}
	}
	leaves = out
	lightFirst(leaves)
	leaves[1] = leaf{leaves[0].weight + leaves[1].weight, join(leaves[0].name, leaves[1].name)}
	return merge(leaves[1:], fresh)
}

func forest(n int) (leaves []leaf) {
	for i := 0; i < n; i++ {
		name := string(rune('a' + i))
		leaves = append(leaves, leaf{10 - i, &name})
	}
	return leaves
}

func main() {
	for n := 3; n < 6; n++ {
		if got, want := merge(forest(n), false), merge(forest(n), true); got != want || len(got) != 3*n-2 {
			fmt.Println("WRONG:", n, got)
			return
		}
	}
	fmt.Println("OK")
}
