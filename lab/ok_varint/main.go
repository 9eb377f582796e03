// Frames with varint headers, built in a scratch slice and written to a stream.
package main

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
)

type stream struct {
	head []byte
	body []byte
	out  bytes.Buffer
}

func (s *stream) frame(id uint64, text string) {
	s.body = append(s.body[:0], text...)
	s.head = binary.AppendUvarint(s.head[:0], id)
	s.head = binary.AppendUvarint(s.head, uint64(len(s.body)))
	s.out.Write(s.head)
	s.out.Write(s.body)
}

func main() {
	s := &stream{}
	for i := 0; i < 300; i++ {
		s.frame(uint64(i)*i64, fmt.Sprintf("body of %d", i))
	}
	r := bytes.NewReader(s.out.Bytes())
	for i := 0; i < 300; i++ {
		id, _ := binary.ReadUvarint(r)
		n, _ := binary.ReadUvarint(r)
		body := make([]byte, n)
		if _, err := io.ReadFull(r, body); err != nil || id != uint64(i)*i64 || string(body) != fmt.Sprintf("body of %d", i) {
			fmt.Println("WRONG:", i, id, string(body), err)
			return
		}
	}
	fmt.Println("OK")
}

const i64 = 1 << 20
