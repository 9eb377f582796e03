// Frames of a connection: the header is read into the front of a buffer, the payload behind it, and unmasked there.
package main

import (
	"encoding/binary"
	"fmt"
	"io"
	"net"
)

type conn struct {
	c   net.Conn
	buf []byte
}

func (c *conn) frame() ([]byte, error) {
	head := c.buf[:6]
	if _, err := io.ReadFull(c.c, head); err != nil {
		return nil, err
	}
	n := int(binary.BigEndian.Uint16(head))
	mask := [4]byte(head[2:])
	body := c.buf[6 : 6+n]
	if _, err := io.ReadFull(c.c, body); err != nil {
		return nil, err
	}
	for i := range body {
		body[i] ^= mask[i%4]
	}
	return body, nil
}

func main() {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Println(err)
		return
	}
	go func() {
		c, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			return
		}
		for i := 0; i < 250; i++ {
			text := []byte(fmt.Sprintf("frame %d with some text", i*i))
			b := binary.BigEndian.AppendUint16(nil, uint16(len(text)))
			b = append(b, 1, 2, 3, byte(i))
			mask := [4]byte{1, 2, 3, byte(i)}
			for k := range text {
				text[k] ^= mask[k%4]
			}
			c.Write(append(b, text...))
		}
		c.Close()
	}()
	nc, err := l.Accept()
	if err != nil {
		fmt.Println(err)
		return
	}
	c := &conn{nc, make([]byte, 256)}
	n, size := 0, 0
	var last string
	for {
		body, err := c.frame()
		if err != nil {
			break
		}
		n++
		size += len(body)
		last = string(body)
	}
	if n != 250 || size != 6354 || last != "frame 62001 with some text" {
		fmt.Println("WRONG:", n, size, last)
		return
	}
	fmt.Println("OK")
}
