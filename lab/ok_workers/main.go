// Many goroutines, each with a buffer of its own that it uses again and again, while garbage is made.
package main

import (
	"fmt"
	"runtime"
	"sync"
)

type worker struct {
	id   int
	buf  []byte
	good int
}

func (w *worker) step(i int) {
	w.buf = append(w.buf[:0], "worker "...)
	w.buf = append(w.buf, byte('A'+w.id), ' ')
	w.buf = append(w.buf, fmt.Sprint(i)...)
	if string(w.buf) == fmt.Sprintf("worker %c %d", 'A'+w.id, i) {
		w.good++
	}
}

func main() {
	workers := make([]*worker, 16)
	var wg sync.WaitGroup
	for id := range workers {
		w := &worker{id: id}
		workers[id] = w
		wg.Add(1)
		go func() {
			defer wg.Done()
			for i := 0; i < 200; i++ {
				w.step(i)
				if i%20 == w.id {
					runtime.Gosched()
				}
			}
		}()
	}
	wg.Wait()
	for _, w := range workers {
		if w.good != 200 {
			fmt.Println("WRONG:", w.id, w.good)
			return
		}
	}
	fmt.Println("OK")
}
