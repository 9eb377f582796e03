// A buffer goes back to a pool while a part of it is still in use.
// want-miss: the victim is part of a struct whose words are in registers when the append runs
package main

import "fmt"

type pool struct {
	free [][]byte
}

func (p *pool) get() []byte {
	if n := len(p.free); n > 0 {
		b := p.free[n-1]
		p.free = p.free[:n-1]
		return b[:0]
	}
	return make([]byte, 0, 64)
}

func (p *pool) put(b []byte) { p.free = append(p.free, b) }

type response struct {
	body []byte
}

func (p *pool) respond(status, text string) *response {
	b := append(p.get(), status...)
	b = append(b, ' ')
	b = append(b, text...) // want: ghost-write victim=body before-hex=77 after-hex=6e
	p.put(b)
	return &response{b[len(status)+1:]}
}

func main() {
	p := &pool{}
	responses := []*response{p.respond("200", "welcome"), p.respond("404", "no such page")}
	for _, r := range responses {
		fmt.Printf("%s\n", r.body)
	}
	if got := string(responses[0].body); got != "welcome" {
		fmt.Println("WRONG: the first answer is", got)
		return
	}
	fmt.Println("OK")
}
