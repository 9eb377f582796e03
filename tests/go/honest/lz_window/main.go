// A compressor and its inverse, which reads back what it has just appended.
package main

import (
	"bytes"
	"fmt"
)

func pack(src []byte) []byte {
	var out []byte
	i := 0
	for i < len(src) {
		best, off := 0, 0
		for j := max(0, i-255); j < i; j++ {
			k := 0
			for i+k < len(src) && k < 255 && src[j+k] == src[i+k] {
				k++
			}
			if k > best {
				best, off = k, i-j
			}
		}
		if best > 3 {
			out = append(out, 1, byte(off), byte(best))
			i += best
		} else {
			out = append(out, 0, src[i])
			i++
		}
	}
	return out
}
func unpack(p []byte) []byte {
	out := make([]byte, 0, 4096)
	for i := 0; i < len(p); {
		if p[i] == 0 {
			out = append(out, p[i+1])
			i += 2
		} else {
			o, n := int(p[i+1]), int(p[i+2])
			for k := 0; k < n; k++ {
				out = append(out, out[len(out)-o])
			}
			i += 3
		}
	}
	return out
}
func max(a, b int) int {
	if a > b {
		return a
	}
	return b
}
func main() {
	src := []byte{}
	for i := 0; i < 120; i++ {
		src = append(src, fmt.Sprintf("line %d of the log\n", i%17)...)
	}
	p := pack(src)
	fmt.Println(len(src), len(p), bytes.Equal(unpack(p), src))
}
