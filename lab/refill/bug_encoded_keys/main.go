// Keys are encoded by plain stores into an array of the encoder, and all kept keys look into it.
package main

import (
	"encoding/binary"
	"fmt"
)

type encoder struct {
	key [8]byte
	n   int
}

//go:noinline
func (e *encoder) encode(id uint64) []byte {
	e.n++
	binary.BigEndian.PutUint64(e.key[:], id) // want: refilled-buffer victim=keys
	return e.key[:]
}

func main() {
	e := &encoder{}
	var keys [][]byte
	for id := uint64(1); id < 6; id++ {
		keys = append(keys, e.encode(id))
	}
	if got := binary.BigEndian.Uint64(keys[0]); got != 1 {
		fmt.Println("WRONG: the first key is", got)
		return
	}
	fmt.Println("OK")
}
