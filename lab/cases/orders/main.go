// Orders are cut into chunks, and every chunk is handled by its own goroutine, which notes at the end of its chunk that it is
// done. Behind a chunk lies the next one: the note replaces its first order.
package main

import (
	"fmt"
	"os"
	"sync"
)

const chunkSize = 10

// handle reads the orders of a chunk and notes at its end that it is done.
func handle(chunk []string, worker int, handled chan<- string) []string {
	for _, order := range chunk {
		handled <- order
	}
	return append(chunk, fmt.Sprintf("worker-%d-is-done", worker))
}

func makeOrders(n int) []string {
	orders := make([]string, n)
	for i := range orders {
		orders[i] = fmt.Sprintf("order-%04d", i)
	}
	return orders
}

func main() {
	if len(os.Args) > 1 {
		measure()
		return
	}
	orders := makeOrders(100)
	handled := make(chan string, 2*len(orders))
	notes := make([][]string, len(orders)/chunkSize)
	var wg sync.WaitGroup
	for worker := range notes {
		start := worker * chunkSize
		chunk := orders[start : start+chunkSize] // the repair: [start : start+chunkSize : start+chunkSize]
		wg.Add(1)
		go func(worker int) {
			defer wg.Done()
			notes[worker] = handle(chunk, worker, handled)
		}(worker)
	}
	wg.Wait()

	lost := 0
	for i, order := range orders {
		if order != fmt.Sprintf("order-%04d", i) {
			lost++
		}
	}
	if lost > 0 {
		fmt.Printf("WRONG: %d of %d orders are lost, the first is now %q\n", lost, len(orders), orders[chunkSize])
		return
	}
	fmt.Println("OK: all orders are there")
}
