// Lines inserted into and taken out of a buffer, with the tail copied first.
package main

import (
	"fmt"
	"strings"
)

type buf struct{ lines []string }

func (b *buf) insert(i int, ls ...string) {
	tail := append([]string{}, b.lines[i:]...)
	b.lines = append(append(b.lines[:i], ls...), tail...)
}
func (b *buf) del(i, n int) []string {
	cut := append([]string(nil), b.lines[i:i+n]...)
	b.lines = append(b.lines[:i], b.lines[i+n:]...)
	return cut
}
func main() {
	b := &buf{}
	for i := 0; i < 30; i++ {
		b.insert(len(b.lines)/2, fmt.Sprint("l", i), fmt.Sprint("m", i))
	}
	for i := 0; i < 12; i++ {
		c := b.del(i, 2)
		b.insert(len(b.lines)-i, c...)
	}
	fmt.Println(strings.Join(b.lines, ","))
}
