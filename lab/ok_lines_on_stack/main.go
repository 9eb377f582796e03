// Two lines of a report, each in an array of its own; one buffer is used again for what is printed.
package main

import "fmt"

type report struct {
	scratch []byte
	sum     int
}

func (r *report) line(format string, args ...any) []byte {
	r.scratch = fmt.Appendf(r.scratch[:0], format, args...)
	return append([]byte(nil), r.scratch...)
}

func main() {
	r := &report{scratch: make([]byte, 0, 64)}
	for i := 0; i < 5; i++ {
		var lines [][]byte
		lines = append(lines, r.line("started %d times", i))
		lines = append(lines, r.line("ready"))
		r.sum += len(string(lines[0])) + len(string(lines[1]))
	}
	fmt.Println(r.sum)
}
