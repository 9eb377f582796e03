// The headers of a message are kept as the Scanner gave them. When it reads on, they show what came after.
package main

import (
	"bufio"
	"bytes"
	"fmt"
	"strings"
)

type message struct {
	subject []byte
	lines   int
}

// parse reads to the end; what sc.Bytes gives is good until the next Scan.
func parse(sc *bufio.Scanner) *message {
	m := &message{}
	for sc.Scan() { // want: refilled-buffer victim=subject level=confirmed
		line := sc.Bytes()
		if m.subject == nil && bytes.HasPrefix(line, []byte("Subject: ")) {
			m.subject = line[len("Subject: "):]
		}
		m.lines++
	}
	return m
}

func main() {
	var text strings.Builder
	text.WriteString("From: a@example.com\nSubject: the plan for monday\n\n")
	for i := 0; i < 400; i++ {
		fmt.Fprintf(&text, "line %d of a body that takes some room\n", i)
	}
	m := parse(bufio.NewScanner(strings.NewReader(text.String())))

	fmt.Printf("%d lines about %q\n", m.lines, m.subject)
	if string(m.subject) != "the plan for monday" {
		fmt.Println("WRONG: the subject is a piece of the body")
		return
	}
	fmt.Println("OK")
}
