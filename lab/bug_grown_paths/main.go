// All ways down a tree are collected in a list of lists, which grows while the ways still share an
// array; they are compared only when all are there.
package main

import (
	"fmt"
	"strings"
)

type dir struct {
	name string
	dirs []dir
}

func collect(d dir, above []string, out [][]string) [][]string {
	here := append(above, d.name) // want: ghost-write
	out = append(out, here)
	for _, sub := range d.dirs {
		out = collect(sub, here, out)
	}
	return out
}

func tree(depth int, name string) dir {
	d := dir{name: name}
	if depth > 0 {
		for _, n := range []string{"x", "y", "z"} {
			d.dirs = append(d.dirs, tree(depth-1, name+n))
		}
	}
	return d
}

func main() {
	all := collect(tree(3, "r"), nil, nil)
	bad := 0
	for _, way := range all {
		last := way[len(way)-1]
		if len(last) != len(way) || !strings.HasPrefix(last, way[0]) {
			bad++
		}
		for i := 1; i < len(way); i++ {
			if !strings.HasPrefix(way[i], way[i-1]) {
				bad++
			}
		}
	}
	seen := map[string]bool{}
	for _, way := range all {
		seen[strings.Join(way, "/")] = true
	}
	if bad != 0 || len(seen) != len(all) {
		fmt.Printf("WRONG: %d of %d ways are different\n", len(seen), len(all))
		return
	}
	fmt.Println("OK")
}
