// The same list handed out five times: as it is, and repaired in four ways.
package main

import (
	"fmt"
	"os"
	"sync"
)

var pool = sync.Pool{New: func() any { buffer := make([]int, 0, 8); return &buffer }}

// numbers stands for a query of a database: nothing is known of its result but its type.
//
//go:noinline
func numbers(n int) []int {
	list := make([]int, n)
	for i := range list {
		list[i] = i + 1
	}
	return list
}

// marked appends a mark to the part that it was given.
func marked(part []int) []int { return append(part, -1) }

func main() {
	if len(os.Args) > 1 {
		measure()
		return
	}
	wrong := ""
	try := func(name string, part func(list []int) []int) {
		list := numbers(4)
		fmt.Println(name, marked(part(list)), "rest", list[2:])
		if list[2] != 3 {
			wrong += " " + name
		}
	}
	try("as-it-is", func(list []int) []int { return list[:2] })
	try("clip", func(list []int) []int { return list[:2:2] })
	try("copy", func(list []int) []int { return append([]int(nil), list[:2]...) })
	try("pool", func(list []int) []int { return append((*pool.Get().(*[]int))[:0], list[:2]...) })
	own := make([]int, 0, 8)
	try("own", func(list []int) []int { own = append(own[:0], list[:2]...); return own })
	if wrong != "" {
		fmt.Println("WRONG: the rest of the list is damaged:" + wrong)
		return
	}
	fmt.Println("OK")
}
