// verify strips the signature off a message, appends to the rest in place and sums up what that gave.
// Its caller still has the message, but nobody reads it any more: the bytes are read through the
// append's own result, by functions below one that was handed the message before the append.
package main

import (
	"crypto/sha256"
	"fmt"
	"time"
)

const signatureLen = 32

//go:noinline
func sum(body, suffix []byte) [32]byte {
	buf := append(body, suffix...)
	return sha256.Sum256(buf)
}

//go:noinline
func verify(msg, suffix []byte) bool {
	body := msg[:len(msg)-signatureLen]
	got := sum(body, suffix)
	return got[0]|1 != 0
}

//go:noinline
func message(n int) []byte {
	msg := make([]byte, n)
	for i := range msg {
		msg[i] = byte(i*7 + 1)
	}
	return msg
}

func main() {
	ok := 0
	for i := 0; i < 4; i++ {
		msg := message(200 + i)
		if verify(msg, []byte("key name and time")) {
			ok += len(msg)
		}
		time.Sleep(5 * time.Millisecond)
	}
	fmt.Println(ok)
}
