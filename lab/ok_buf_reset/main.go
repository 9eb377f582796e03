// One local buffer for all lines, emptied with buf[:0]; every line is copied out as a string.
package main

import (
	"fmt"
	"strings"
)

func main() {
	var lines []string
	var buf []byte
	for i := 0; i < 300; i++ {
		buf = buf[:0]
		buf = append(buf, "line "...)
		buf = append(buf, byte('0'+i/100), byte('0'+i/10%10), byte('0'+i%10))
		lines = append(lines, string(buf))
	}
	text := strings.Join(lines, "\n")
	if len(text) != 300*9-1 || !strings.HasSuffix(text, "line 299") {
		fmt.Println("WRONG:", len(text))
		return
	}
	fmt.Println("OK")
}
