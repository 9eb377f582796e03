// A loop of appends that each overwrite an element of the slice they extend; with the argument "copy", of appends whose operand
// has no spare capacity, so that each copies. Healed, the first must cost what the second costs.
package main

import (
	"fmt"
	"os"
)

const rounds = 1 << 24

var sink []uint64

//go:noinline
func overwrite(s []uint64, x uint64) []uint64 { return append(s[:4], x) }

//go:noinline
func copies(s []uint64, x uint64) []uint64 { return append(s[:4:4], x) }

func main() {
	extend := overwrite
	if len(os.Args) > 1 && os.Args[1] == "copy" {
		extend = copies
	}
	s := []uint64{1, 2, 3, 4, 5, 6, 7, 8}
	sum := uint64(0)
	for i := uint64(0); i < rounds; i++ {
		sink = extend(s, i|1)
		sum += sink[4] + s[4]
	}
	fmt.Println("sum", sum)
}
