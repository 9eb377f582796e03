// A line is put together in a pooled buffer and handed out, and the buffer goes back to the pool: the
// next line is written over it.
package main

import (
	"bytes"
	"fmt"
	"sync"
)

var buffers = sync.Pool{New: func() any { return new(bytes.Buffer) }}

func line(host string, code int) []byte {
	b := buffers.Get().(*bytes.Buffer)
	b.Reset()
	defer buffers.Put(b) // pooled: put
	fmt.Fprintf(b, "%s %d", host, code)
	return b.Bytes()
}

func main() {
	for try := 0; try < 50; try++ { // a goroutine may change its processor, and then its part of the pool
		lines := [][]byte{line("alpha", 200), line("gamma", 500)}
		if string(lines[0]) != "alpha 200" {
			fmt.Printf("%s\n%s\nWRONG: the first line is gone\n", lines[0], lines[1])
			return
		}
	}
	fmt.Println("OK")
}
