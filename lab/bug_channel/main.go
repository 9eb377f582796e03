// Batches are sent over a channel and the sender goes on with buf[:0] of the batch it just sent. The
// receiver has not looked at it yet.
package main

import "fmt"

type batch struct {
	number int
	rows   []string
}

func produce(out chan<- *batch) {
	buf := make([]string, 0, 4)
	for i := 0; i < 6; i++ {
		buf = append(buf, fmt.Sprintf("row-%d", i)) // want: ghost-write victim=rows before="row-0|row-1|row-2|row-3" after="row-2|row-3|row-4|row-5"
		if len(buf) == 2 {
			out <- &batch{i / 2, buf}
			buf = buf[:0]
		}
	}
	close(out)
}

func main() {
	queue := make(chan *batch, 3)
	produce(queue)

	first := ""
	for b := range queue {
		fmt.Println("batch", b.number, b.rows)
		if b.number == 0 {
			first = b.rows[0]
		}
	}
	if first != "row-0" {
		fmt.Printf("WRONG: batch 0 starts with %s\n", first)
		return
	}
	fmt.Println("OK")
}
