// A key prefix with room behind it: each key is made in place, used at once as a map key, and never
// kept as bytes.
package main

import "fmt"

type store struct {
	prefix []byte
	values map[string]int
}

func (s *store) key(id int) []byte {
	return append(s.prefix, byte('0'+id/100), byte('0'+id/10%10), byte('0'+id%10))
}

func (s *store) put(id, v int) { s.values[string(s.key(id))] = v }

func (s *store) get(id int) int { return s.values[string(s.key(id))] }

func main() {
	s := &store{append(make([]byte, 0, 16), "user:"...), map[string]int{}}
	sum := 0
	for i := 0; i < 200; i++ {
		s.put(i, i)
	}
	for i := 0; i < 200; i++ {
		sum += s.get(i)
	}
	if sum != 19900 || len(s.values) != 200 {
		fmt.Println("WRONG:", sum, len(s.values))
		return
	}
	fmt.Println("OK")
}
