// A store makes its keys behind a prefix that has room. The second key is shorter than the first, so
// the first goes on behind it: half new, half old.
package main

import "fmt"

type store struct {
	prefix []byte
	keys   [][]byte
}

func (s *store) put(name string) {
	s.keys = append(s.keys, append(s.prefix, name...)) // want: ghost-write
}

func main() {
	s := &store{prefix: append(make([]byte, 0, 32), "users/"...)}
	for _, name := range []string{"alexander", "bea", "chris"} {
		s.put(name)
	}
	if got := string(s.keys[0]); got != "users/alexander" {
		fmt.Println("WRONG: the first key is", got)
		return
	}
	fmt.Println("OK")
}
