// A lexer with a queue of tokens that were looked at ahead.
package main

import (
	"fmt"
	"strings"
)

type tok struct {
	k byte
	s string
}
type lex struct {
	in  string
	pos int
	q   []tok
}

func (l *lex) next() tok {
	if len(l.q) > 0 {
		t := l.q[0]
		l.q = append(l.q[:0], l.q[1:]...)
		return t
	}
	return l.scan()
}
func (l *lex) peek(n int) tok {
	for len(l.q) <= n {
		l.q = append(l.q, l.scan())
	}
	return l.q[n]
}
func (l *lex) scan() tok {
	for l.pos < len(l.in) && l.in[l.pos] == ' ' {
		l.pos++
	}
	if l.pos == len(l.in) {
		return tok{'$', ""}
	}
	s := l.pos
	for l.pos < len(l.in) && l.in[l.pos] != ' ' {
		l.pos++
	}
	return tok{l.in[s], l.in[s:l.pos]}
}
func main() {
	l := &lex{in: strings.Repeat("a = b + c ; if d ( e ) ; ", 40)}
	n, m := 0, 0
	for {
		if l.peek(1).s == "=" {
			m++
		}
		if l.peek(2).k == '+' {
			m += 10
		}
		t := l.next()
		if t.k == '$' {
			break
		}
		n++
	}
	fmt.Println(n, m)
}
