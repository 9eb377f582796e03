// A writer fills its buffer by position, through a slice that a method cuts from it; the buffer is
// shorter than its array. It reads what it has written byte by byte, through the buffer's own slice.
// heal-changes: what is appended to is the buffer itself
package main

import (
	"fmt"
	"strconv"
	"time"
)

type page struct {
	buf []byte
	n   int
}

//go:noinline
func (p *page) filled() []byte { return p.buf[:p.n] }

func (p *page) put(v int64) { p.n = len(strconv.AppendInt(p.filled(), v, 10)) }

type cursor struct{ to []byte }

func (c *cursor) put(p *page, s string) {
	c.to = p.buf[:p.n]
	c.to = append(c.to, s...)
	p.n = len(c.to)
}

func (p *page) sum() (sum int) {
	for i := 0; i < p.n; i++ {
		sum += int(p.buf[i])
	}
	return sum
}

var pages []*page

func main() {
	c := &cursor{}
	total := 0
	for i := 0; i < 3; i++ {
		buf := make([]byte, 30, 48)
		for k := range buf {
			buf[k] = '-'
		}
		pages = append(pages, &page{buf: buf})
	}
	for round := 0; round < 4; round++ {
		for i, p := range pages {
			p.n = 0
			p.put(int64(1000*round + i))
			c.put(p, "/")
			p.put(int64(round))
			total += p.sum()
		}
		time.Sleep(20 * time.Millisecond)
	}
	fmt.Println(total, len(pages[0].buf))
}
