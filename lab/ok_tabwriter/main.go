// text/tabwriter keeps cells of one buffer and starts again after each flush.
package main

import (
	"fmt"
	"strings"
	"text/tabwriter"
)

func main() {
	var out strings.Builder
	w := tabwriter.NewWriter(&out, 0, 8, 1, ' ', 0)
	for block := 0; block < 20; block++ {
		for row := 0; row < 5; row++ {
			fmt.Fprintf(w, "%d\t%s\tend\n", row, strings.Repeat("x", (block+row)%7))
		}
		w.Flush()
	}
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	if len(lines) != 100 || lines[0] != "0      end" || lines[99] != "4 xx     end" {
		fmt.Printf("WRONG: %d %q %q\n", len(lines), lines[0], lines[len(lines)-1])
		return
	}
	fmt.Println("OK")
}
