// bytes.Buffer reset and filled again; Bytes() is used before the next Reset.
package main

import (
	"bytes"
	"fmt"
)

type page struct {
	buf  bytes.Buffer
	hash uint32
}

func (p *page) render(n int) {
	p.buf.Reset()
	for i := 0; i < 4; i++ {
		fmt.Fprintf(&p.buf, "<td>%d</td>", n*i)
	}
	for _, b := range p.buf.Bytes() {
		p.hash = p.hash*31 + uint32(b)
	}
}

func main() {
	pages := []*page{{}, {}}
	for i := 0; i < 100; i++ {
		for _, p := range pages {
			p.render(i)
		}
	}
	if pages[0].hash != pages[1].hash || pages[0].buf.String() != "<td>0</td><td>99</td><td>198</td><td>297</td>" {
		fmt.Println("WRONG:", pages[0].buf.String())
		return
	}
	fmt.Println("OK")
}
