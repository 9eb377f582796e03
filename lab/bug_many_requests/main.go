// Many requests share one slot; the first is looked at, and with that the program ends.
package main

import (
	"fmt"
	"strconv"
)

//go:noinline
func start() []string {
	words := make([]string, 3, 8)
	copy(words, []string{"GET", "https", "host"})
	return words
}

func main() {
	common := start()
	requests := make([][]string, 15)
	for i := range requests {
		requests[i] = append(common, strconv.Itoa(i*7)) // want: ghost-write
	}
	for i := range requests {
		if requests[i][3] != strconv.Itoa(i*7) {
			fmt.Println("WRONG: request", i)
			return
		}
	}
	fmt.Println("OK")
}
