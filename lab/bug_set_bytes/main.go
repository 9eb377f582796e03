// A setter that replaces a value in the middle of a message builds it in the caller's buffer: what
// stood behind the value is overwritten before it is copied.
package main

import (
	"bytes"
	"fmt"
)

func set(msg []byte, start, end int, value []byte) []byte {
	out := append(msg[:start], value...) // want: ghost-write victim=second|msg before-hex=31|62 after-hex=39
	return append(out, msg[end:]...)     // may: ghost-write
}

func main() {
	msg := bytes.TrimSpace([]byte(" a=1;b=2;c=3 "))
	second := bytes.SplitN(msg, []byte(";"), 3)[1]
	out := set(msg, 2, 3, []byte("999"))

	fmt.Printf("%s\n", out)
	if string(second) != "b=2" {
		fmt.Printf("WRONG: the second pair is now %s\n", second)
		return
	}
	fmt.Println("OK")
}
