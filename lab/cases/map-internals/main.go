// A loop over a map that it makes grow: what was there at the beginning is seen once, what is inserted perhaps.
package main

import (
	"fmt"
	"os"
)

func main() {
	if len(os.Args) > 1 {
		measure()
		return
	}
	stock := map[int]bool{}
	for i := 0; i < 8; i++ {
		stock[i] = true
	}
	seen := map[int]int{}
	for key := range stock {
		seen[key]++
		if key < 8 {
			for i := 0; i < 8; i++ {
				stock[8*(key+1)+i] = true
			}
		}
	}
	inserted := 0
	for key, times := range seen {
		if times > 1 {
			fmt.Printf("WRONG: key %d was given %d times\n", key, times)
			return
		}
		if key >= 8 {
			inserted++
		}
	}
	fmt.Printf("OK: no key was given twice; of %d that were inserted the loop gave %d\n", len(stock)-8, inserted)
}
