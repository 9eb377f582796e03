// Fields are appended by a method that gives the slice back; the parser keeps how many there are.
//
// heal-changes: the fields are read through the parser
package main

import "fmt"

type parser struct {
	fields []string
	used   int
}

func (p *parser) add(fs []string, f string) []string { return append(fs, f) }

func (p *parser) line(s string) {
	fs := p.fields[:0]
	start := 0
	for i := 0; i <= len(s); i++ {
		if i == len(s) || s[i] == ',' {
			fs = p.add(fs, s[start:i])
			start = i + 1
		}
	}
	p.used = len(fs)
}

func main() {
	p := &parser{fields: make([]string, 8)}
	for _, l := range []string{"a,b,c", "dd,ee", "x,y,z,w", "1"} {
		p.line(l)
		for i := 0; i < p.used; i++ {
			fmt.Print(p.fields[i], "|")
		}
		fmt.Println()
	}
}
