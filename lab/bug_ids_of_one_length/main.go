// Keys of one length are made behind one prefix: the last one differs from the one before it in a few
// bytes only, the others are written again as they were. To the first key all of them are wrong.
package main

import "fmt"

type table struct {
	keys [][]byte
}

func (t *table) add(prefix []byte, id uint32) {
	for shift := 24; shift >= 0; shift -= 8 {
		prefix = append(prefix, byte(id>>shift)) // want: ghost-write
	}
	t.keys = append(t.keys, prefix)
}

func main() {
	prefix := append(make([]byte, 0, 16), "t1/"...)
	var t table
	for _, id := range []uint32{0x01020304, 0x05060708, 0x0a0b0c01, 0x0a0b0c02} {
		t.add(prefix, id)
	}
	if got := string(t.keys[0]); got != "t1/\x01\x02\x03\x04" {
		fmt.Printf("WRONG: the first key is %q\n", got)
		return
	}
	fmt.Println("OK")
}
