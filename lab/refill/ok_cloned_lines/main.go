// Lines of a Scanner that are kept as copies; of the slice itself only the line at hand is looked at.
package main

import (
	"bufio"
	"fmt"
	"strings"
)

func main() {
	var text strings.Builder
	for i := 0; i < 600; i++ {
		fmt.Fprintf(&text, "key%03d=value of some length %d\n", i, i*i)
	}
	sc := bufio.NewScanner(strings.NewReader(text.String()))
	var kept [][]byte
	longest := 0
	for sc.Scan() {
		line := sc.Bytes()
		if len(line) > longest {
			longest = len(line)
		}
		kept = append(kept, append([]byte(nil), line...))
	}
	if len(kept) != 600 || string(kept[0]) != "key000=value of some length 0" || longest == 0 {
		fmt.Println("WRONG: the lines are not as they were")
		return
	}
	fmt.Println("OK", len(kept), longest)
}
