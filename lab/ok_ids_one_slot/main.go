// A list of one: each key is made behind the prefix, put in the same place of the list as the one
// before, and read there. Keys have one length, and most of their bytes are written as they were.
package main

import (
	"fmt"
	"strconv"
)

type table struct {
	key  [][]byte
	name [][]string
	sum  int
}

func (t *table) set(prefix []byte, head []string, id int) {
	t.key[0] = append(prefix, strconv.Itoa(id)...)
	t.name[0] = append(head, strconv.Itoa(id))
	t.sum += len(string(t.key[0])) + len(t.name[0][1])
}

func main() {
	prefix := append(make([]byte, 0, 16), "key/"...)
	head := append(make([]string, 0, 4), "id")
	t := &table{key: make([][]byte, 1), name: make([][]string, 1)}
	for id := 100; id < 130; id++ {
		t.set(prefix, head, id)
	}
	fmt.Println(t.sum, string(t.key[0]), t.name[0])
}
