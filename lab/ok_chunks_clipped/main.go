// A list is cut into chunks that end where they end, and every chunk gets a mark of its own.
package main

import "fmt"

func cut(all []int, size int) (chunks [][]int) {
	for len(all) > size {
		chunks, all = append(chunks, all[:size:size]), all[size:]
	}
	return append(chunks, all)
}

func main() {
	all := make([]int, 0, 12)
	for i := 1; i <= 12; i++ {
		all = append(all, i)
	}
	chunks := cut(all, 4)
	for i := range chunks {
		chunks[i] = append(chunks[i], -100)
	}
	sum := 0
	for _, chunk := range chunks {
		for _, n := range chunk {
			if n > 0 {
				sum += n
			}
		}
	}
	if sum != 78 {
		fmt.Println("WRONG: the numbers add up to", sum)
		return
	}
	fmt.Println("OK")
}
