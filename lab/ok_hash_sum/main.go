// h.Sum(buf[:0]) puts every digest into the same bytes; what is kept is an array copy.
package main

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
)

func main() {
	h := sha256.New()
	var digest, input []byte
	kept := map[[32]byte]int{}
	for i := 0; i < 300; i++ {
		h.Reset()
		input = binary.LittleEndian.AppendUint32(input[:0], uint32(i%100))
		h.Write(input)
		digest = h.Sum(digest[:0])
		kept[[32]byte(digest)]++
	}
	want := sha256.Sum256([]byte{99, 0, 0, 0})
	if len(kept) != 100 || kept[want] != 3 || [32]byte(digest) != want {
		fmt.Println("WRONG:", len(kept), kept[want])
		return
	}
	fmt.Println("OK")
}
