// Two buffers of eight bytes, used in turns: the allocator puts both into one block.
package main

import "fmt"

type pkt struct{ data []byte }
type link struct {
	bufs [2][]byte
	cur  int
	sent []string
}

func (l *link) send(seq int, body string) pkt {
	l.cur ^= 1
	b := l.bufs[l.cur][:0]
	b = append(b, byte('0'+seq))
	b = append(b, body...)
	l.bufs[l.cur] = b
	return pkt{b}
}
func main() {
	l := &link{}
	var last pkt
	for i := 0; i < 9; i++ {
		p := l.send(i, "body"[:i%4+1])
		if i > 0 {
			l.sent = append(l.sent, string(last.data)+"/"+string(p.data))
		}
		last = p
	}
	fmt.Println(l.sent)
}
