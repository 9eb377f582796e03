// Two buffers that are swapped, and a window that moves over its own buffer: each slice of them is replaced before it is looked at again.
package main

import (
	"bytes"
	"fmt"
	"io"
)

type window struct {
	src  io.Reader
	buf  []byte
	data []byte // what of buf is not used yet
}

func (w *window) next() (byte, bool) {
	if len(w.data) == 0 {
		n, _ := w.src.Read(w.buf)
		if n == 0 {
			return 0, false
		}
		w.data = w.buf[:n]
	}
	b := w.data[0]
	w.data = w.data[1:]
	return b, true
}

func main() {
	front, back := make([]byte, 32), make([]byte, 32)
	for i := 0; i < 50; i++ {
		copy(back, bytes.Repeat([]byte{byte('a' + i%20)}, 32))
		front, back = back, front
		if front[31] != byte('a'+i%20) {
			fmt.Println("WRONG: the front buffer")
			return
		}
	}
	w := &window{src: bytes.NewReader(bytes.Repeat([]byte("0123456789"), 40)), buf: make([]byte, 16)}
	sum := 0
	for b, more := w.next(); more; b, more = w.next() {
		sum += int(b - '0')
	}
	if sum != 40*45 {
		fmt.Println("WRONG: the sum", sum)
		return
	}
	fmt.Println("OK", sum)
}
