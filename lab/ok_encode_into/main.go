// Encoders that append to dst[:0]: base64, hex, quoted text and numbers go into one scratch buffer, and what must stay is
// copied out of it.
package main

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strconv"
)

type record struct {
	key, digest, quoted []byte
	n                   int
}

// base64.AppendEncode and hex.AppendEncode are there from Go 1.22 on.
func appendBase64(dst []byte, src string) []byte {
	return append(dst, base64.StdEncoding.EncodeToString([]byte(src))...)
}

func appendHex(dst []byte, src string) []byte {
	return append(dst, hex.EncodeToString([]byte(src))...)
}

func encode(src string, scratch []byte) (record, []byte) {
	var r record
	scratch = appendBase64(scratch[:0], src)
	r.key = append(r.key, scratch...)
	scratch = appendHex(scratch[:0], src)
	r.digest = append(r.digest, scratch...)
	scratch = strconv.AppendQuote(scratch[:0], src)
	r.quoted = append(r.quoted, scratch...)
	scratch = strconv.AppendInt(scratch[:0], int64(len(src)), 10)
	r.n, _ = strconv.Atoi(string(scratch))
	return r, scratch
}

func main() {
	var records []record
	var scratch []byte
	for i := 0; i < 60; i++ {
		var r record
		r, scratch = encode(fmt.Sprintf("record %d", i), scratch)
		records = append(records, r)
	}
	for i, r := range records {
		src := fmt.Sprintf("record %d", i)
		key, _ := base64.StdEncoding.DecodeString(string(r.key))
		digest, _ := hex.DecodeString(string(r.digest))
		if string(key) != src || string(digest) != src || string(r.quoted) != strconv.Quote(src) || r.n != len(src) {
			fmt.Println("WRONG:", i)
			return
		}
	}
	fmt.Println(len(records), string(records[3].quoted))
	fmt.Println("OK")
}
