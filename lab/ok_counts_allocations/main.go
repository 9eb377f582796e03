// A buffer with room is filled again and again, and the program relies on that costing no memory.
// heal-changes: it counts allocations, and a copy is one
package main

import (
	"fmt"
	"runtime"
	"strconv"
)

var line = make([]byte, 0, 64)

func render(n int) { line = append(append(line[:0], "number "...), strconv.Itoa(n%100)...) }

func main() {
	render(1)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for i := 0; i < 10000; i++ {
		render(i)
	}
	runtime.ReadMemStats(&after)
	if after.Mallocs-before.Mallocs > 5000 {
		fmt.Println("WRONG: filling the buffer allocates memory")
		return
	}
	fmt.Println("OK")
}
