// Cache keys made from one prefix that has room behind it: the second key is written over the first.
package main

import (
	"bytes"
	"fmt"
)

type lookup struct {
	key []byte
	hit bool
}

func newLookup(prefix []byte, id string) *lookup {
	return &lookup{key: append(prefix, id...)} // want: ghost-write victim=key before-hex=34 after-hex=39
}

func main() {
	prefix := append(make([]byte, 0, 16), "user:"...)
	lookups := []*lookup{newLookup(prefix, "42"), newLookup(prefix, "97")}

	for _, l := range lookups {
		fmt.Printf("lookup %s\n", l.key)
	}
	if !bytes.Equal(lookups[0].key, []byte("user:42")) {
		fmt.Printf("WRONG: looks for %s\n", lookups[0].key)
		return
	}
	fmt.Println("OK")
}
