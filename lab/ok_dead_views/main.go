// Old views of a buffer lie around in dead variables and unreachable structs when the buffer is filled
// again. Nobody can read them.
package main

import "fmt"

type token struct {
	text []byte
	kind int
}

type lexer struct {
	buf    []byte
	tokens int
}

func (l *lexer) lex(text string) (hash int) {
	l.buf = l.buf[:0]
	l.buf = append(l.buf, text...)
	var tokens []*token // unreachable after this call
	for i := 0; i+2 <= len(l.buf); i += 2 {
		tokens = append(tokens, &token{l.buf[i : i+2], i})
	}
	for _, t := range tokens {
		hash = hash*31 + int(t.text[0])*t.kind
	}
	l.tokens += len(tokens)
	return hash
}

func main() {
	l := &lexer{buf: make([]byte, 0, 64)}
	same := l.lex("abcdefgh")
	for i := 0; i < 200; i++ {
		l.lex("stuvwxyz")
		if got := l.lex("abcdefgh"); got != same {
			fmt.Println("WRONG:", got, same)
			return
		}
	}
	if l.tokens != 401*4 {
		fmt.Println("WRONG:", l.tokens)
		return
	}
	fmt.Println("OK")
}
