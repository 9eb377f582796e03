// A ring of bytes is filled from a pipe and emptied by a parser that walks around it.
package main

import (
	"fmt"
	"os"
)

type ring struct {
	buf        []byte
	start, len int
}

func (r *ring) fill(f *os.File) bool {
	end := (r.start + r.len) % len(r.buf)
	free := r.buf[end:]
	if end < r.start {
		free = r.buf[end:r.start]
	}
	n, err := f.Read(free)
	r.len += n
	return err == nil
}

func (r *ring) take() byte {
	b := r.buf[r.start]
	r.start = (r.start + 1) % len(r.buf)
	r.len--
	return b
}

func main() {
	from, to, err := os.Pipe()
	if err != nil {
		fmt.Println("WRONG:", err)
		return
	}
	go func() {
		for i := 0; i < 1500; i++ {
			fmt.Fprintf(to, "%d;", i)
		}
		to.Close()
	}()
	r := &ring{buf: make([]byte, 48)}
	sum, number := 0, 0
	for {
		if r.len == 0 && !r.fill(from) {
			break
		}
		if r.len < len(r.buf)/2 {
			r.fill(from)
		}
		for r.len > 0 {
			if b := r.take(); b == ';' {
				sum += number
				number = 0
			} else {
				number = number*10 + int(b-'0')
			}
		}
	}
	if sum != 1124250 {
		fmt.Println("WRONG:", sum)
		return
	}
	fmt.Println("OK")
}
