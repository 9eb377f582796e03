// Workers get batches through a channel and give the emptied ones back through another: each batch has one owner at a time.
package main

import (
	"fmt"
	"sync"
)

type item struct {
	id   int
	name string
}

func main() {
	full := make(chan []item, 4)
	empty := make(chan []item, 8)
	for i := 0; i < 8; i++ {
		empty <- make([]item, 0, 10)
	}
	sums := make([]int, 3)
	var wg sync.WaitGroup
	for w := range sums {
		wg.Add(1)
		go func(w int) {
			defer wg.Done()
			for batch := range full {
				for _, it := range batch {
					if it.name != fmt.Sprint("n", it.id) {
						panic("WRONG " + it.name)
					}
					sums[w] += it.id
				}
				empty <- batch[:0]
			}
		}(w)
	}
	for n := 0; n < 1000; {
		batch := <-empty
		for i := 0; i < 10; i++ {
			batch = append(batch, item{n, fmt.Sprint("n", n)})
			n++
		}
		full <- batch
	}
	close(full)
	wg.Wait()
	total := sums[0] + sums[1] + sums[2]
	fmt.Println(total)
	if total != 999*1000/2 {
		fmt.Println("WRONG:", total)
		return
	}
	fmt.Println("OK")
}
