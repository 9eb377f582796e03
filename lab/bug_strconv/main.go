// strconv.AppendInt appends to a shared prefix: the write happens inside of package strconv.
package main

import (
	"fmt"
	"strconv"
)

type line struct {
	text []byte
}

func number(prefix []byte, n int64) *line {
	return &line{strconv.AppendInt(prefix, n, 10)} // want: ghost-write victim=text before-hex=31 after-hex=37 frames=5
}

func main() {
	prefix := append(make([]byte, 0, 24), "line "...)
	lines := []*line{number(prefix, 1200), number(prefix, 7200)}
	for _, l := range lines {
		fmt.Printf("%s\n", l.text)
	}
	if got := string(lines[0].text); got != "line 1200" {
		fmt.Println("WRONG: the first line is", got)
		return
	}
	fmt.Println("OK")
}
