// The buffer is reached through a pointer to a slice, as encoders that pool *[]byte do.
package main

import "fmt"

type state struct {
	out *[]byte
	log []string
}

func (s *state) write(text string) { *s.out = append((*s.out)[:0], text...) }

func main() {
	shared := make([]byte, 0, 32)
	s := &state{out: &shared}
	t := &state{out: &shared}
	for i := 0; i < 200; i++ {
		s.write(fmt.Sprintf("step-%03d", i))
		if i%50 == 0 {
			t.log = append(t.log, string(*t.out)) // a copy, read through the other holder
		}
	}
	if len(t.log) != 4 || t.log[3] != "step-150" || string(shared) != "step-199" {
		fmt.Println("WRONG:", t.log, string(shared))
		return
	}
	fmt.Println("OK")
}
