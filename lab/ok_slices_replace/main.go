// slices.Insert, Replace, Delete and Compact with their results assigned back, on slices that nobody else has.
package main

import (
	"fmt"
	"slices"
)

type document struct {
	lines []string
	marks []int
}

func (d *document) edit(i int) {
	d.lines = slices.Insert(d.lines, 1, fmt.Sprint("new ", i), fmt.Sprint("also new ", i))
	d.marks = slices.Insert(d.marks, len(d.marks)/2, i, i)
	d.lines = slices.Replace(d.lines, 0, 2, fmt.Sprint("title ", i))
	d.marks = slices.Compact(d.marks)
	d.lines = slices.Delete(d.lines, len(d.lines)-1, len(d.lines))
	if len(d.marks) > 6 {
		d.marks = slices.Delete(d.marks, 0, 3)
	}
}

func main() {
	d := &document{lines: []string{"title", "one", "two", "three", "four"}, marks: []int{1, 2, 3}}
	d.lines = slices.Grow(d.lines, 8)
	d.marks = slices.Grow(d.marks, 8)
	for i := 0; i < 40; i++ {
		d.edit(i)
		if d.lines[0] != fmt.Sprint("title ", i) || d.lines[1] != fmt.Sprint("also new ", i) || len(d.lines) != 5 {
			fmt.Println("WRONG:", d.lines)
			return
		}
	}
	fmt.Println(d.lines, len(d.marks))
	fmt.Println("OK")
}
