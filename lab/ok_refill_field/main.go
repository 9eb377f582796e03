// The same field is filled again from its start, with the same number of bytes: the header in memory
// is the same before and after, and it is read afterwards. This is reuse, not damage.
package main

import (
	"encoding/binary"
	"fmt"
)

type writer struct {
	buf []byte
	sum uint64
}

func (w *writer) put(v uint64) {
	w.buf = append(w.buf[:0], byte(v>>56), byte(v>>48), byte(v>>40), byte(v>>32),
		byte(v>>24), byte(v>>16), byte(v>>8), byte(v))
}

func (w *writer) flush() { w.sum += binary.BigEndian.Uint64(w.buf) }

func main() {
	writers := []*writer{{}, {}}
	for i := uint64(1); i <= 500; i++ {
		for _, w := range writers {
			w.put(i * 0x0101010101)
			w.flush()
		}
	}
	if writers[0].sum != writers[1].sum || writers[0].sum != 125250*0x0101010101 {
		fmt.Println("WRONG: sums", writers[0].sum, writers[1].sum)
		return
	}
	fmt.Println("OK")
}
