// A scratch slice of a fixed size is filled anew in each round and read in that round, through the
// slice that was appended to; what is kept is copied.
package main

import "fmt"

type sample struct {
	at   int
	vals []float64
}

var kept []sample

func main() {
	scratch := make([]float64, 0, 4)
	sum := 0.0
	for i := 1; i <= 40; i++ {
		scratch = append(scratch[:0], float64(i), float64(i*i))
		sum += scratch[0] + scratch[1]
		if i%10 == 0 {
			kept = append(kept, sample{i, append([]float64(nil), scratch...)})
		}
	}
	for _, s := range kept {
		sum += s.vals[1]
	}
	if sum != 820+22140+100+400+900+1600 {
		fmt.Println("WRONG", sum)
		return
	}
	fmt.Println("OK")
}
