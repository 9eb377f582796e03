// One slice is an element of a list several times and is not changed meanwhile; and a list that is emptied after each batch gets the
// same buffer again, which has been filled by stores.
package main

import "fmt"

type metric struct {
	labels []string
	value  int
}

type writer struct {
	buf     [4]int
	pending [][]int
	sum     int
}

func (w *writer) put(n int) {
	for i := range w.buf {
		w.buf[i] = n + i
	}
	w.pending = append(w.pending, w.buf[:])
}

func (w *writer) flush() {
	for _, row := range w.pending {
		for _, n := range row {
			w.sum += n
		}
	}
	w.pending = w.pending[:0]
}

func main() {
	labels := []string{"eu", "west"}
	var metrics []metric
	for i := 0; i < 9; i++ {
		metrics = append(metrics, metric{labels, i})
	}
	labels[0] = "us"
	w := &writer{}
	for i := 0; i < 20; i++ {
		w.put(i)
		w.flush()
	}
	total := 0
	for _, m := range metrics {
		total += m.value + len(m.labels[0])
	}
	if w.sum != 880 || total != 54 {
		fmt.Println("WRONG:", w.sum, total)
		return
	}
	fmt.Println("OK")
}
