// Two keys are built from one prefix and share its spare bytes. A copy through the second key then writes the same place once
// more, by memmove; the first key was wrong since the append.
package main

import "fmt"

type table struct {
	prefix []byte
	keys   map[string][]byte
}

func (t *table) key(name string) []byte {
	k := append(t.prefix, name...) // want: ghost-write
	t.keys[name] = k
	return k
}

func main() {
	t := &table{prefix: make([]byte, 0, 32), keys: map[string][]byte{}}
	t.prefix = append(t.prefix, "users/"...)
	t.key("alice")
	second := t.key("bobby")
	first := string(t.keys["alice"])
	copy(second[len(t.prefix):], "carol")
	fmt.Println(string(second), len(t.keys["alice"]))
	if first != "users/alice" {
		fmt.Println("WRONG:", first)
		return
	}
	fmt.Println("OK")
}
