// Length-prefixed frames: room for the length is appended first and filled in afterwards.
package main

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
)

type enc struct{ buf []byte }

func (e *enc) frame(typ byte, f func([]byte) []byte) {
	s := len(e.buf)
	e.buf = append(e.buf, 0, 0, 0, 0, typ)
	e.buf = f(e.buf)
	binary.BigEndian.PutUint32(e.buf[s:], uint32(len(e.buf)-s))
}
func main() {
	e := &enc{}
	var sums []uint32
	for r := 0; r < 20; r++ {
		e.buf = e.buf[:0]
		for k := 0; k < 5; k++ {
			k := k
			e.frame(byte(k), func(b []byte) []byte {
				b = binary.AppendUvarint(b, uint64(r*k))
				b = fmt.Appendf(b, "<%d:%d>", r, k)
				return b
			})
		}
		sums = append(sums, crc32.ChecksumIEEE(e.buf))
	}
	fmt.Println(sums[0], sums[19], len(e.buf))
}
