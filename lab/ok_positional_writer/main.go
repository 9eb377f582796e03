// A writer fills its buffer by position: append makes the bytes in place and only the position is
// kept, for the buffer's own slice is as long as ever. One writer is a field, one a local variable.
package main

import (
	"fmt"
	"strconv"
	"time"
)

type writer struct {
	buf  []byte
	n    int
	sum  int
	size int
}

func (w *writer) flush() {
	for _, b := range w.buf[:w.n] {
		w.sum += int(b)
	}
	w.size += w.n
	w.n = 0
}

func (w *writer) number(v int64) {
	if len(w.buf)-w.n < 20 {
		w.flush()
	}
	w.n = len(strconv.AppendInt(w.buf[:w.n], v, 10))
}

func (w *writer) text(s string) {
	if len(w.buf)-w.n < len(s) {
		w.flush()
	}
	w.n = len(append(w.buf[:w.n], s...))
}

var writers []*writer

func local(words []string) (sum int) {
	buf, n := []byte("................................"), 0
	for round := 0; round < 3; round++ {
		for _, word := range words {
			if len(buf)-n < len(word) {
				for _, b := range buf[:n] {
					sum += int(b)
				}
				n = 0
			}
			n = len(append(buf[:n], word...))
		}
	}
	for _, b := range buf[:n] {
		sum += int(b)
	}
	return sum
}

func main() {
	for i := 0; i < 3; i++ {
		writers = append(writers, &writer{buf: make([]byte, 128)})
	}
	total := 0
	for i := 0; i < 120; i++ {
		for _, w := range writers {
			w.number(int64(i * 7919))
			w.text(" and ")
		}
		if i%30 == 0 {
			total += local([]string{"one", "seventeen", "five hundred", "a"})
			time.Sleep(30 * time.Millisecond)
		}
	}
	for _, w := range writers {
		w.flush()
		total += w.sum + w.size
	}
	fmt.Println(total)
}
