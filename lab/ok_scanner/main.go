// Lines of a bufio.Scanner are valid until the next Scan; what is kept is copied.
package main

import (
	"bufio"
	"bytes"
	"fmt"
	"strings"
)

type section struct {
	title []byte
	lines int
}

func main() {
	var input strings.Builder
	for i := 0; i < 400; i++ {
		if i%20 == 0 {
			fmt.Fprintf(&input, "[section %d]\n", i/20)
		}
		fmt.Fprintf(&input, "key%d = value%d\n", i, i)
	}
	var sections []*section
	var key []byte
	scanner := bufio.NewScanner(strings.NewReader(input.String()))
	scanner.Buffer(make([]byte, 0, 256), 1024)
	for scanner.Scan() {
		line := scanner.Bytes()
		if line[0] == '[' {
			sections = append(sections, &section{title: append([]byte(nil), line...)})
			continue
		}
		key = append(key[:0], line[:bytes.IndexByte(line, ' ')]...)
		sections[len(sections)-1].lines++
	}
	last := sections[19]
	if string(sections[0].title) != "[section 0]" || last.lines != 20 || string(key) != "key399" {
		fmt.Printf("WRONG: %s %d %s\n", sections[0].title, last.lines, key)
		return
	}
	fmt.Println("OK")
}
