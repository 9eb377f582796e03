// A tokenizer that fills one buffer for all tokens and hands out a string for each: the buffer is emptied in between.
package main

import "fmt"

type token struct {
	kind byte
	text string
}

type lexer struct {
	src    string
	pos    int
	buf    []byte
	tokens []token
}

func isLetter(c byte) bool { return c >= 'a' && c <= 'z' }
func isDigit(c byte) bool  { return c >= '0' && c <= '9' }

func (l *lexer) take(kind byte, more func(byte) bool) {
	l.buf = l.buf[:0]
	for l.pos < len(l.src) && more(l.src[l.pos]) {
		l.buf = append(l.buf, l.src[l.pos])
		l.pos++
	}
	l.tokens = append(l.tokens, token{kind, string(l.buf)})
}

func (l *lexer) run() []token {
	for l.pos < len(l.src) {
		switch c := l.src[l.pos]; {
		case isLetter(c):
			l.take('w', isLetter)
		case isDigit(c):
			l.take('n', isDigit)
		default:
			l.tokens = append(l.tokens, token{'p', string(c)})
			l.pos++
		}
	}
	return l.tokens
}

func main() {
	l := &lexer{src: "alpha=10;beta=2000;gamma=3", buf: make([]byte, 0, 32)}
	tokens := l.run()
	text := ""
	for _, t := range tokens {
		text += t.text
	}
	fmt.Println(len(tokens), text)
	if text != l.src {
		fmt.Println("WRONG:", text)
		return
	}
	fmt.Println("OK")
}
