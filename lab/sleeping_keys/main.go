// Keys of a store begin with a prefix of eight bytes, for which append makes room for eight: a longer name of the tenant, and keys
// overwrite each other.
package main

import (
	"fmt"
	"os"
)

type store struct {
	prefix []byte
	keys   [][]byte
}

//go:noinline
func newStore(tenant string) *store {
	s := &store{}
	s.prefix = append(s.prefix, tenant...)
	return s
}

//go:noinline
func (s *store) key(name string) []byte {
	return append(s.prefix, name...) // sleeps: writer
}

func main() {
	tenant := "tenant7/"
	if len(os.Args) > 1 {
		tenant = os.Args[1]
	}
	s := newStore(tenant)
	for _, name := range []string{"users", "items", "bills"} {
		s.keys = append(s.keys, s.key(name))
	}
	fmt.Printf("%q\n", s.keys)
	if string(s.keys[0]) != tenant+"users" {
		fmt.Printf("WRONG: the first key is %s\n", s.keys[0])
		return
	}
	fmt.Println("OK")
}
