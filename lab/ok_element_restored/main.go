// A header of a message is patched in place, after its parts were handed out: bytes beyond the
// length that the message was made with, written by their index and by encoding/binary.
package main

import (
	"encoding/binary"
	"fmt"
)

type message struct {
	raw   []byte
	attrs [][]byte
}

var last *message

//go:noinline
func kinds(m *message) (sum int) {
	last = m
	for _, a := range m.attrs {
		sum += int(binary.BigEndian.Uint16(a))
	}
	return sum
}

func main() {
	raw := make([]byte, 4, 64)
	copy(raw, "GMSG")
	raw = append(raw, 0, 1, 0, 2)
	m := &message{raw: raw, attrs: [][]byte{raw[4:6], raw[6:8]}}
	first := kinds(m)
	binary.BigEndian.PutUint16(raw[4:6], 0x21)
	raw[7] = 5
	if second := kinds(m); first != 3 || second != 0x26 {
		fmt.Println("WRONG", first, second)
		return
	}
	fmt.Println("OK")
}
