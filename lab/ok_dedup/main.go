// A sorted slice is freed from duplicates in place by a function that owns it: the slice it got from
// its parser and that nobody else has.
package main

import (
	"fmt"
	"sort"
	"strings"
)

func parse(text string) []string { return strings.Split(text, ",") }

func unique(text string) []string {
	names := parse(text)
	sort.Strings(names)
	out := names[:0]
	for i, n := range names {
		if i == 0 || n != names[i-1] {
			out = append(out, n)
		}
	}
	return out
}

func main() {
	total := 0
	for i := 0; i < 100; i++ {
		names := unique("d,a,c,a,b,d,a")
		total += len(names)
		if strings.Join(names, "") != "abcd" {
			fmt.Println("WRONG:", names)
			return
		}
	}
	if total != 400 {
		fmt.Println("WRONG:", total)
		return
	}
	fmt.Println("OK")
}
