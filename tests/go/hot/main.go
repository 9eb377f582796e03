// hot N: reuses four buffers, N million times each, which overwrites something at every append: as hot as a site can be.
// Honest reuse, so nothing is to be found; what it costs to look at it is held by --budget. Prints a sum at its end.
package main

import (
	"fmt"
	"os"
	"strconv"
)

var kept [4][]uint64

//go:noinline
func refill(which int, n uint64) (sum uint64) {
	buf := kept[which]
	for i := uint64(0); i < n; i++ {
		buf = append(buf[:0], i, i+1)
		buf = append(buf[:1], sum)
		sum += buf[0] ^ buf[1]<<7
	}
	kept[which] = buf
	return sum
}

func main() {
	millions, _ := strconv.Atoi(os.Args[1])
	var sum uint64
	for round := 0; round < 10; round++ {
		for which := range kept {
			sum += refill(which, uint64(millions)*100_000)
		}
	}
	fmt.Println("sum", sum)
}
