// A closure owns a buffer and hands out what it holds, which is used before the next call.
package main

import "fmt"

func hexer() func(n uint32) []byte {
	var buf []byte
	return func(n uint32) []byte {
		buf = buf[:0]
		for shift := 28; shift >= 0; shift -= 4 {
			buf = append(buf, "0123456789abcdef"[n>>uint(shift)&15])
		}
		return buf
	}
}

func main() {
	hex := hexer()
	var all []byte
	for i := uint32(0); i < 256; i++ {
		text := hex(i * 0x01010101)
		all = append(all, text[0], text[7])
	}
	if len(all) != 512 || string(all[508:]) != "feff" {
		fmt.Printf("WRONG: %d %s\n", len(all), all[508:])
		return
	}
	fmt.Println("OK")
}
