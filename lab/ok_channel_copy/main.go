// Batches are sent as copies, the buffer behind them is used again at once.
package main

import "fmt"

func main() {
	queue := make(chan []int, 4)
	go func() {
		buf := make([]int, 0, 8)
		for i := 0; i < 400; i++ {
			buf = append(buf, i)
			if len(buf) == 8 {
				queue <- append([]int(nil), buf...)
				buf = buf[:0]
			}
		}
		close(queue)
	}()
	next := 0
	for batch := range queue {
		for _, v := range batch {
			if v != next {
				fmt.Println("WRONG:", v, next)
				return
			}
			next++
		}
	}
	if next != 400 {
		fmt.Println("WRONG:", next)
		return
	}
	fmt.Println("OK")
}
