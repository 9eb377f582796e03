// Cache keys made from one prefix that has room behind it: the second key is written over the first.
package main

import (
	"bytes"
	"fmt"
	"strings"
)

type lookup struct {
	key []byte
	hit bool
}

func newLookup(prefix []byte, id string) *lookup {
	return &lookup{key: append(prefix, id...)} // want: ghost-write victim=key before-hex=34 after-hex=39
}

func main() {
	var prefix []byte
	for _, part := range strings.Fields("user : id : nr :") {
		prefix = append(prefix, part...) // len 11, cap 16 in the end
	}
	lookups := []*lookup{newLookup(prefix, "42"), newLookup(prefix, "97")}

	for _, l := range lookups {
		fmt.Printf("lookup %s\n", l.key)
	}
	if !bytes.Equal(lookups[0].key, []byte("user:id:nr:42")) {
		fmt.Printf("WRONG: looks for %s\n", lookups[0].key)
		return
	}
	fmt.Println("OK")
}
