// Ways through a graph share one array while they are made; those that are kept are copies, in a
// list that grows.
package main

import (
	"fmt"
	"strings"
)

func walk(left int, way []string, out [][]string) [][]string {
	if left == 0 {
		return append(out, append([]string(nil), way...))
	}
	for _, n := range []string{"l", "r", "s"} {
		out = walk(left-1, append(way, n), out)
	}
	return out
}

func main() {
	seen := map[string]bool{}
	for _, way := range walk(4, make([]string, 0, 8), nil) {
		seen[strings.Join(way, "")] = true
	}
	if len(seen) != 81 {
		fmt.Println("WRONG", len(seen))
		return
	}
	fmt.Println("OK")
}
