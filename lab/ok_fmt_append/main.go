// fmt.Appendf and fmt.Append into a buffer that is emptied in between.
package main

import "fmt"

type status struct {
	line []byte
	sum  int
}

func (s *status) set(name string, n int) []byte {
	s.line = fmt.Appendf(s.line[:0], "%s has %03d ", name, n)
	s.line = fmt.Append(s.line, n, true)
	return s.line
}

func main() {
	s := &status{}
	for i := 0; i < 250; i++ {
		line := s.set("box", i)
		s.sum += len(line)
		if string(line[:11]) != fmt.Sprintf("box has %03d", i) {
			fmt.Printf("WRONG: %s\n", line)
			return
		}
	}
	if string(s.line) != "box has 249 249 true" {
		fmt.Printf("WRONG: %s\n", s.line)
		return
	}
	fmt.Println("OK")
}
