// A loop that appends to a buffer which is emptied again and again: every append overwrites an old
// element, so this is the price of the slow path when its context is long known.
package main

import (
	"fmt"
	"os"
	"strconv"
	"time"
)

const perRound = 1 << 18

func fill(s []uint64, seed uint64) []uint64 {
	for i := uint64(0); i < perRound; i++ {
		s = append(s[:i&7], seed|1)
	}
	return s
}

func main() {
	rounds := 40
	if len(os.Args) > 1 {
		rounds, _ = strconv.Atoi(os.Args[1])
	}
	best := time.Duration(1 << 62)
	sum := uint64(0)
	s := make([]uint64, 0, 8)
	for r := 0; r < rounds; r++ {
		start := time.Now()
		s = fill(s, uint64(r))
		if d := time.Since(start); d < best {
			best = d
		}
		sum += s[7]
	}
	fmt.Printf("%.3f ns per append, sum %d\n", float64(best)/perRound, sum)
}
