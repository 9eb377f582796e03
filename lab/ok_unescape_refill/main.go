// A tokenizer keeps one buffer, which the system fills again and again. Entities are unescaped in place, in the window of the token;
// the tokenizer reads on behind it, and reads those places again only when they have been filled anew. So much of the buffer is read
// that some of it goes unseen.
package main

import (
	"fmt"
	"io"
	"os"
	"strings"
)

type tokenizer struct {
	in         *os.File
	buf        []byte
	start, end int
	err        error
}

//go:noinline
func (t *tokenizer) readByte() byte {
	if t.end >= len(t.buf) {
		kept := copy(t.buf[:cap(t.buf)], t.buf[t.start:t.end])
		n, err := t.in.Read(t.buf[kept:cap(t.buf)])
		if err != nil {
			t.err = err
			return 0
		}
		t.start, t.end, t.buf = 0, kept, t.buf[:kept+n]
	}
	c := t.buf[t.end]
	t.end++
	return c
}

// text is the next token, up to a '<', as it stands.
func (t *tokenizer) text() []byte {
	t.start = t.end
	for t.err == nil {
		if c := t.readByte(); t.err == nil && c == '<' {
			return t.buf[t.start : t.end-1]
		}
	}
	return nil
}

//go:noinline
func unescape(b []byte) []byte {
	first := strings.IndexByte(string(b), '&')
	if first < 0 {
		return b
	}
	out := b[:first]
	for i := first; i < len(b); i++ {
		if rest := string(b[i:]); strings.HasPrefix(rest, "&lt;") {
			out = append(out, '<')
			i += 3
			continue
		}
		out = append(out, b[i])
	}
	return out
}

func main() {
	in, out, err := os.Pipe()
	if err != nil {
		panic(err)
	}
	go func() {
		for i := 0; i < 4000; i++ {
			entity := ""
			if i%100 == 99 {
				entity = "&lt;an entity, and "
			}
			fmt.Fprintf(out, "a line of plain text with %sthe number %d in it<", entity, i)
		}
		out.Close()
	}()
	t := &tokenizer{in: in, buf: make([]byte, 0, 4096)}
	tokens, bytes, sum := 0, 0, 0
	for token := t.text(); token != nil; token = t.text() {
		text := string(unescape(token))
		tokens++
		bytes += len(text)
		sum += strings.Count(text, "<")
	}
	fmt.Println(tokens, bytes, sum, t.err == io.EOF)
}
