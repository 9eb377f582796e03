// The previous line stays in a field until the next call, is stale by then, and is replaced before
// anybody reads it.
package main

import "fmt"

type parser struct {
	buf  []byte
	prev []byte
	bad  int
}

func (p *parser) parse(text string) {
	p.buf = append(p.buf[:0], text...) // p.prev still shows the old line here
	p.prev = p.buf
	if p.prev[0] != text[0] || p.prev[len(text)-1] != text[len(text)-1] {
		p.bad++
	}
}

func main() {
	p := &parser{buf: make([]byte, 0, 16)}
	for i := 0; i < 200; i++ {
		p.parse(fmt.Sprintf("%03d-abc", i))
		p.parse(fmt.Sprintf("x%d", i))
	}
	if p.bad != 0 || string(p.prev) != "x199" {
		fmt.Printf("WRONG: %d %s\n", p.bad, p.prev)
		return
	}
	fmt.Println("OK")
}
