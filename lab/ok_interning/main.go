// Names are interned in one large block; a name's bytes never change once it was handed out, and a name that was there
// before gives its bytes back to the block.
package main

import "fmt"

type names struct {
	block []byte
	known map[string][]byte
}

func (n *names) intern(format string, args ...any) []byte {
	start := len(n.block)
	n.block = fmt.Appendf(n.block, format, args...)
	name := n.block[start:]
	if have, ok := n.known[string(name)]; ok {
		n.block = n.block[:start] // the next name goes there
		return have
	}
	n.known[string(name)] = name[:len(name):len(name)]
	return n.known[string(name)]
}

func main() {
	n := &names{block: make([]byte, 0, 4096), known: map[string][]byte{}}
	var all [][]byte
	for i := 0; i < 200; i++ {
		all = append(all, n.intern("name-%d", i%23))
	}
	for i, name := range all {
		if string(name) != fmt.Sprintf("name-%d", i%23) {
			fmt.Println("WRONG:", i, string(name))
			return
		}
	}
	fmt.Println(len(n.known), len(n.block))
	fmt.Println("OK")
}
