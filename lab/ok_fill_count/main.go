// Names are put in order in place by a function that gives back only how many are left, as in C; its caller reads that many.
// heal-changes: its caller is meant to see what is written
package main

import (
	"fmt"
	"strings"
)

type directory struct {
	names []string
	used  int
}

//go:noinline
func tidy(names []string) int {
	kept := names[:0]
	for _, name := range names {
		if name = strings.TrimSpace(name); name != "" {
			kept = append(kept, strings.ToLower(name))
		}
	}
	return len(kept)
}

func (d *directory) load(from int) {
	d.names = d.names[:cap(d.names)]
	for i := range d.names {
		d.names[i] = fmt.Sprint(" N", (from+i)%7, strings.Repeat(" ", i%3))
		if (from+i)%5 == 0 {
			d.names[i] = "  "
		}
	}
	d.used = tidy(d.names)
}

func main() {
	d := &directory{names: make([]string, 40)}
	total := 0
	for round := 0; round < 50; round++ {
		d.load(round)
		for i := 0; i < d.used; i++ {
			if d.names[i] == "" || d.names[i][0] != 'n' {
				fmt.Println("WRONG:", round, d.names[i])
				return
			}
			total++
		}
	}
	if total != 50*32 {
		fmt.Println("WRONG:", total)
		return
	}
	fmt.Println("OK")
}
