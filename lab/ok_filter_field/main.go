// The list in a struct is filtered in place, and all who look at it afterwards look through the struct.
package main

import "fmt"

type conn struct {
	id    int
	alive bool
}

type server struct {
	conns []*conn
}

func (s *server) sweep() {
	kept := s.conns[:0]
	for _, c := range s.conns {
		if c.alive {
			kept = append(kept, c)
		}
	}
	for i := len(kept); i < len(s.conns); i++ {
		s.conns[i] = nil
	}
	s.conns = kept
}

func main() {
	s := &server{}
	seen := 0
	for i := 0; i < 400; i++ {
		s.conns = append(s.conns, &conn{i, true})
		if len(s.conns) >= 10 {
			for j, c := range s.conns {
				c.alive = j%2 == 1
			}
			s.sweep()
		}
		for _, c := range s.conns {
			seen += c.id
		}
	}
	last := s.conns[len(s.conns)-1].id
	if last != 399 || seen == 0 {
		fmt.Println("WRONG:", last, seen)
		return
	}
	fmt.Println("OK")
}
