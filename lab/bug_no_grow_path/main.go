// The code has just checked that there is room, so the compiler leaves out the call that grows the
// slice, and with it everything an append is recognised by.
// heal-refused: an append without a grow path is a bare store
// want-miss: an append without a grow path is a bare store
package main

import (
	"fmt"
	"strings"
)

type key []string

func (k key) child(name string) key {
	if cap(k) > len(k) {
		return append(k, name) // want: ghost-write before="port" after="host"
	}
	grown := make(key, len(k)+1, 2*len(k)+1)
	copy(grown, k)
	grown[len(k)] = name
	return grown
}

func main() {
	server := key{}.child("config").child("server") // len 2, cap 3
	keys := []key{server.child("port"), server.child("host")}
	for _, k := range keys {
		fmt.Println(strings.Join(k, "."))
	}
	if got := keys[0][2]; got != "port" {
		fmt.Println("WRONG: the first key ends with", got)
		return
	}
	fmt.Println("OK")
}
