// A buffered reader with the contract of bufio.Reader.ReadSlice: a line is valid until the next call. This caller keeps to it.
package main

import (
	"fmt"
	"io"
	"strings"
)

type reader struct {
	in   io.Reader
	buf  []byte
	line []byte
}

// next returns the next line; its bytes are overwritten by the following call.
func (r *reader) next() ([]byte, error) {
	r.line = r.line[:0]
	for {
		for i, c := range r.buf {
			if c == '\n' {
				r.line = append(r.line, r.buf[:i]...)
				r.buf = r.buf[i+1:]
				return r.line, nil
			}
		}
		r.line = append(r.line, r.buf...)
		chunk := make([]byte, 16)
		n, err := r.in.Read(chunk)
		r.buf = chunk[:n]
		if err != nil {
			return r.line, err
		}
	}
}

func main() {
	var text strings.Builder
	for i := 0; i < 100; i++ {
		fmt.Fprintf(&text, "line number %d of the input\n", i)
	}
	r := &reader{in: strings.NewReader(text.String()), line: make([]byte, 0, 64)}
	sum := 0
	var kept []string
	for {
		line, err := r.next()
		if err != nil {
			break
		}
		sum += len(line)
		kept = append(kept, string(line))
	}
	fmt.Println(len(kept), sum)
	if kept[7] != "line number 7 of the input" || kept[99] != "line number 99 of the input" {
		fmt.Println("WRONG:", kept[7])
		return
	}
	fmt.Println("OK")
}
