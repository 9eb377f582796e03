// A line reader of its own: what is left of the buffer is moved to its front before more is read behind it.
package main

import (
	"bytes"
	"fmt"
	"os"
)

type lines struct {
	f    *os.File
	buf  []byte
	rest []byte // not yet handed out; a part of buf
}

func (l *lines) next() ([]byte, bool) {
	for {
		if i := bytes.IndexByte(l.rest, '\n'); i >= 0 {
			line := l.rest[:i]
			l.rest = l.rest[i+1:]
			return line, true
		}
		n := copy(l.buf, l.rest)
		m, err := l.f.Read(l.buf[n:])
		l.rest = l.buf[:n+m]
		if err != nil {
			return nil, false
		}
	}
}

func main() {
	f, err := os.CreateTemp("", "lines")
	if err != nil {
		fmt.Println("WRONG:", err)
		return
	}
	os.Remove(f.Name())
	for i := 0; i < 2000; i++ {
		fmt.Fprintf(f, "this is line %d\n", i)
	}
	f.Seek(0, 0)
	l := &lines{f: f, buf: make([]byte, 100)}
	n, total := 0, 0
	var kept []string
	for {
		line, ok := l.next()
		if !ok {
			break
		}
		n++
		total += len(line)
		if n%500 == 0 {
			kept = append(kept, string(line))
		}
	}
	if n != 2000 || total != 32890 || kept[0] != "this is line 499" || kept[3] != "this is line 1999" {
		fmt.Println("WRONG:", n, total, kept)
		return
	}
	fmt.Println("OK")
}
