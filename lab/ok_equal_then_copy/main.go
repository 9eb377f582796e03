// Every element is kept, so the appends write what stands there, always in place: names[:0] has room for all of names. Both
// headers mean one array, by the language, and what copy writes through one of them is meant to be read through the other.
// heal-changes: the filter keeps everything and is known to share the array, which a copy does not
package main

import (
	"fmt"
	"strings"
)

//go:noinline
func same(names []string) []string {
	kept := names[:0]
	for _, n := range names {
		if n != "" {
			kept = append(kept, n)
		}
	}
	return kept
}

func main() {
	for _, text := range []string{"ada bob cid", "dot eve fay gus", "hal ivy joe kim lea"} {
		names := strings.Fields(text)
		kept := same(names)
		before := strings.Join(names, " ")
		copy(kept, []string{"first", "second"})
		got := strings.Join(names, " ")
		if before != text || !strings.HasPrefix(got, "first second ") || strings.Join(kept, " ") != got {
			fmt.Println("WRONG:", got)
			return
		}
	}
	fmt.Println("OK")
}
