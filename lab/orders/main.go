// Order IDs are cut into chunks and every chunk is handled by its own goroutine. A chunk is a
// sub-slice of one big array, so its spare capacity is the next chunk's data: the line that a
// worker appends to its chunk replaces the first order of its neighbour.
package main

import (
	"fmt"
	"sync"
)

const chunkSize = 4

type chunk struct {
	ids  []string
	done []string
}

func split(ids []string) []*chunk {
	var chunks []*chunk
	for start := 0; start < len(ids); start += chunkSize {
		end := start + chunkSize
		if end > len(ids) {
			end = len(ids)
		}
		chunks = append(chunks, &chunk{ids: ids[start:end]})
	}
	return chunks
}

// process notes at the end of the worker's list that the list is complete.
func process(c *chunk, worker int) {
	marker := fmt.Sprintf("end-of-chunk-%d", worker)
	c.done = append(c.ids, marker) // want: ghost-write before="order-005|order-009" after="end-of-chunk-0|end-of-chunk-1" holder=heap|stack
}

func main() {
	var ids []string
	for i := 1; i <= 12; i++ {
		ids = append(ids, fmt.Sprintf("order-%03d", i))
	}
	chunks := split(ids)

	// The workers take turns in the order of their chunks, so that the report is the same each time.
	var wg sync.WaitGroup
	turn := make([]chan bool, len(chunks)+1)
	for i := range turn {
		turn[i] = make(chan bool, 1)
	}
	turn[0] <- true
	for i := range chunks {
		wg.Add(1)
		go func(i int) {
			defer wg.Done()
			<-turn[i]
			process(chunks[i], i)
			turn[i+1] <- true
		}(i)
	}
	wg.Wait()

	lost := 0
	next := 1
	for _, c := range chunks {
		for _, id := range c.ids {
			if want := fmt.Sprintf("order-%03d", next); id != want {
				fmt.Printf("want %s, got %s\n", want, id)
				lost++
			}
			next++
		}
	}
	if lost > 0 {
		fmt.Printf("WRONG: %d orders lost\n", lost)
		return
	}
	fmt.Println("OK")
}
