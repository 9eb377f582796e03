// slices.Delete with its result assigned, on a local slice and on a field.
package main

import (
	"fmt"
	"slices"
)

type roster struct {
	names []string
}

func main() {
	r := &roster{}
	removed := 0
	for i := 0; i < 300; i++ {
		r.names = append(r.names, fmt.Sprintf("n%03d", i))
		if len(r.names) == 8 {
			r.names = slices.Delete(r.names, 1, 4)
			removed += 3
		}
	}
	local := slices.Clone(r.names)
	for len(local) > 2 {
		local = slices.Delete(local, 0, 1)
	}
	if len(r.names)+removed != 300 || local[1] != "n299" || r.names[0] != "n000" {
		fmt.Println("WRONG:", r.names, local)
		return
	}
	fmt.Println("OK")
}
