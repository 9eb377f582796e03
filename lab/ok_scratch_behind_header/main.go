// A connection keeps a buffer, the first bytes of which are a header, and builds each message behind
// it: the buffer's own slice is as long as ever, and what it covers changes, as it should.
package main

import (
	"fmt"
	"runtime"
	"time"
)

type conn struct {
	buf  []byte
	sent int
}

func (c *conn) send(payload string) {
	out := append(c.buf[:4], payload...)
	out[0] = byte(len(payload))
	for _, b := range out {
		c.sent += int(b)
	}
}

func checksum(scratch []byte, values ...byte) int {
	sum := 0
	for _, b := range append(scratch[:2], values...) {
		sum += int(b)
	}
	return sum
}

var held *conn

func main() {
	held = &conn{buf: make([]byte, 64)}
	scratch := []byte("--------------------------------")
	sums := 0
	for i := 0; i < 4; i++ {
		held.send(fmt.Sprintf("message %d of %d", i, 4))
		sums += checksum(scratch, 1, 2, byte(i))
		runtime.GC()
		time.Sleep(30 * time.Millisecond)
	}
	fmt.Println(held.sent, sums, len(held.buf), len(scratch))
}
