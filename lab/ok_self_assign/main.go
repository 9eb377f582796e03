// s = f(s): the function appends in place to what it is given, and the caller goes on with the result.
package main

import (
	"fmt"
	"strings"
)

func pad(line []byte, width int) []byte {
	for len(line) < width {
		line = append(line, ' ')
	}
	return line
}

func replaceTail(line []byte, tail string) []byte {
	return append(line[:len(line)-len(tail)], tail...)
}

func main() {
	var out []string
	line := make([]byte, 0, 40)
	for i := 0; i < 100; i++ {
		line = append(line[:0], fmt.Sprint(i)...)
		line = pad(line, 12)
		line = replaceTail(line, "end")
		out = append(out, string(line))
	}
	if out[7] != "7        end" || strings.Count(strings.Join(out, ""), "end") != 100 {
		fmt.Printf("WRONG: %q\n", out[7])
		return
	}
	fmt.Println("OK")
}
