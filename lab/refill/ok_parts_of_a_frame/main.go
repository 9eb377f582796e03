// A buffer for frames and slices of its parts that are made once: each frame is read into the whole, and looked at through the parts.
package main

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
)

func main() {
	var stream bytes.Buffer
	for i := 0; i < 60; i++ {
		body := fmt.Sprintf("body number %02d", i)
		binary.Write(&stream, binary.BigEndian, uint32(len(body)))
		stream.WriteString(body)
	}
	buf := make([]byte, 64)
	size, text := buf[:4], buf[4:]
	for i := 0; i < 60; i++ {
		if _, err := io.ReadFull(&stream, buf[:18]); err != nil {
			fmt.Println("WRONG:", err)
			return
		}
		n := binary.BigEndian.Uint32(size)
		if string(text[:n]) != fmt.Sprintf("body number %02d", i) {
			fmt.Printf("WRONG: %q\n", text[:n])
			return
		}
	}
	fmt.Println("OK")
}
