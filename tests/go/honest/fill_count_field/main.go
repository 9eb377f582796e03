// A filter in place that gives back a count only, as in C.
// heal-changes: its caller is meant to see what is written
package main

import (
	"fmt"
	"strings"
)

type table struct {
	names []string
	n     int
}

func squeeze(xs []string) (n int) {
	out := xs[:0]
	for _, x := range xs {
		if x != "" {
			out = append(out, strings.ToUpper(x))
		}
	}
	return len(out)
}
func (t *table) clean() { t.n = squeeze(t.names) }
func (t *table) sum() (s int) {
	for i := 0; i < t.n; i++ {
		s += len(t.names[i]) * i
	}
	return
}
func main() {
	tt := 0
	for r := 0; r < 60; r++ {
		t := &table{}
		for i := 0; i < 50; i++ {
			if (i+r)%3 == 0 {
				t.names = append(t.names, "")
			} else {
				t.names = append(t.names, fmt.Sprint("n", i*r))
			}
		}
		t.clean()
		tt += t.sum()
	}
	fmt.Println(tt)
}
