// Slices that are handed on in an interface to be filled: by encoding/binary, by reflection, by a decoder of the program's own.
package main

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"reflect"
)

type filler struct{ dst any }

func (f *filler) fill(b byte) {
	if dst, ok := f.dst.([]byte); ok {
		copy(dst, bytes.Repeat([]byte{b}, len(dst)))
	}
}

func main() {
	raw := make([]byte, 16)
	words := make([]string, 3)
	own := make([]byte, 12)
	sum := 0
	for round := 1; round < 20; round++ {
		r := bytes.NewReader(bytes.Repeat([]byte{byte(round)}, 16))
		if err := binary.Read(r, binary.LittleEndian, raw); err != nil || raw[15] != byte(round) {
			fmt.Println("WRONG: raw", err)
			return
		}
		from := []string{fmt.Sprint("a", round), fmt.Sprint("b", round), fmt.Sprint("c", round)}
		if n := reflect.Copy(reflect.ValueOf(words), reflect.ValueOf(from)); n != 3 || words[2] != from[2] {
			fmt.Println("WRONG: words")
			return
		}
		f := &filler{own}
		f.fill(byte('a' + round))
		if own[11] != byte('a'+round) {
			fmt.Println("WRONG: own")
			return
		}
		sum += int(raw[0]) + int(own[0]) + len(words[0])
	}
	fmt.Println("OK", sum)
}
