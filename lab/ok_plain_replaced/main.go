// A list with room is cut and appended to again; its owner keeps only the newest, and reads that.
package main

import (
	"fmt"
	"strings"
)

type page struct {
	path []string
}

var current = &page{}

func main() {
	base := make([]string, 1, 8)
	base[0] = "root"
	var seen []string
	for _, name := range strings.Fields("a b c d e") {
		current.path = append(base, name, "leaf")
		seen = append(seen, strings.Join(current.path, "/"))
		current.path = append(base, name+name, "twig")
		seen = append(seen, strings.Join(current.path, "/"))
	}
	if got := strings.Join(seen[:3], " "); got != "root/a/leaf root/aa/twig root/b/leaf" {
		fmt.Println("WRONG", got)
		return
	}
	fmt.Println("OK")
}
