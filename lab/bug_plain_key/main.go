// Keys of a cache are made behind one prefix, by appends that the compiler turned into stores.
// heal-refused: the append is compiled to stores, and has no path that grows
package main

import "fmt"

type cache struct {
	keys [][]byte
	vals []int
}

func (c *cache) put(key []byte, val int) {
	c.keys = append(c.keys, key)
	c.vals = append(c.vals, val)
}

//go:noinline
func (c *cache) find(key string) int {
	for i, k := range c.keys {
		if string(k) == key {
			return c.vals[i]
		}
	}
	return -1
}

var names = &cache{}

func main() {
	prefix := make([]byte, 4, 16)
	copy(prefix, "usr:")
	names.put(append(prefix, 'a'), 1)
	names.put(append(prefix, 'b'), 2) // want: ghost-write victim=keys
	if got := names.find("usr:a"); got != 1 {
		fmt.Printf("WRONG: a is %d\n", got)
		return
	}
	fmt.Println("OK")
}
