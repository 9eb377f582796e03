// A decoder hands out parts of one big buffer without limiting their capacity. Appending to the first
// part overwrites the second.
package main

import "fmt"

type record struct {
	key, value []byte
}

func decode(buf []byte) *record {
	n := int(buf[0])
	return &record{key: buf[1 : 1+n], value: buf[1+n:]}
}

func main() {
	buf := make([]byte, 0, 64)
	buf = append(buf, 3)
	buf = append(buf, "abcvalue"...)
	r := decode(buf)

	key := append(r.key, "/v2"...) // want: ghost-write victim=value|buf before-hex=76 after-hex=2f
	fmt.Printf("%s = %s\n", key, r.value)
	if string(r.value) != "value" {
		fmt.Printf("WRONG: the value is %s\n", r.value)
		return
	}
	fmt.Println("OK")
}
