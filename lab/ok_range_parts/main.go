// Workers fill their parts of one table anew, each within its own bounds; the owner walks over it.
package main

import (
	"fmt"
	"strconv"
	"sync"
)

func fill(round int) (sum int) {
	cells := make([]string, 32)
	for i := range cells {
		cells[i] = "empty"
	}
	var done sync.WaitGroup
	for i := 0; i < len(cells); i += 8 {
		done.Add(1)
		go func(i int) {
			defer done.Done()
			part := cells[i : i+8 : i+8]
			for k := range part {
				part[k] = strconv.Itoa(round * i)
			}
			part = append(part, "end")
			if len(part) != 9 {
				panic(part)
			}
		}(i)
	}
	done.Wait()
	for _, cell := range cells {
		n, _ := strconv.Atoi(cell)
		sum += n
	}
	return sum
}

func main() {
	for round := 0; round < 5; round++ {
		fmt.Println(fill(round))
	}
}
