// The first record of a reader is compared with the last, but all of them were copied to the same place.
// want-miss-stripped: what is in which slot of a frame only DWARF tells
package main

import "fmt"

type reader struct {
	in   []string
	line []byte
}

//go:noinline
func (r *reader) record() []byte {
	n := copy(r.line, r.in[0]) // want: refilled-buffer victim=first level=likely
	r.in = r.in[1:]
	return r.line[:n]
}

func main() {
	r := &reader{in: []string{"tokyo 12.5", "osaka 14.1", "kyoto 13.3"}, line: make([]byte, 32)}
	first := r.record()
	var last string
	for len(r.in) > 0 {
		last = string(r.record())
	}
	fmt.Println("from", string(first), "to", last)
	if string(first) != "tokyo 12.5" {
		fmt.Println("WRONG: the first is no longer what it was")
		return
	}
	fmt.Println("OK")
}
