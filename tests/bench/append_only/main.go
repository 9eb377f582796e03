// A loop that does nothing but append to a fresh slice: the destination is always zero, so this is the
// price of the check alone. Prints the nanoseconds for one append, the best of some rounds.
package main

import (
	"fmt"
	"os"
	"strconv"
	"time"
)

const perRound = 1 << 20

func fill(s []uint64) []uint64 {
	for i := uint64(0); i < perRound; i++ {
		s = append(s, i|1)
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
	s := make([]uint64, 0, perRound)
	for r := 0; r < rounds; r++ {
		start := time.Now()
		s = fill(s)
		if d := time.Since(start); d < best {
			best = d
		}
		sum += s[perRound-1]
		clear(s)
		s = s[:0]
	}
	fmt.Printf("%.3f ns per append, sum %d\n", float64(best)/perRound, sum)
}
