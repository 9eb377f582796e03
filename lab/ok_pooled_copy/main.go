// A line is put together in a pooled buffer, and a copy of it handed out.
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
	defer buffers.Put(b)
	fmt.Fprintf(b, "%s %d", host, code)
	return bytes.Clone(b.Bytes())
}

func main() {
	lines := [][]byte{line("alpha", 200), line("gamma", 500), line("beta", 404)}
	for _, l := range lines {
		fmt.Printf("%s\n", l)
	}
	if string(bytes.Join(lines, []byte(","))) != "alpha 200,gamma 500,beta 404" {
		fmt.Println("WRONG")
		return
	}
	fmt.Println("OK")
}
