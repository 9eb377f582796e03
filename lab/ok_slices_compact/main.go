// slices.Compact and DeleteFunc on lists that are owned by one struct.
package main

import (
	"fmt"
	"slices"
)

type tags struct {
	list []string
}

func (t *tags) normalise() {
	slices.Sort(t.list)
	t.list = slices.Compact(t.list)
	t.list = slices.DeleteFunc(t.list, func(s string) bool { return s == "tmp" })
}

func main() {
	t := &tags{}
	for i := 0; i < 300; i++ {
		t.list = append(t.list, []string{"go", "tmp", "linux", "amd64"}[i%4])
		if i%7 == 6 {
			t.normalise()
		}
	}
	t.normalise()
	if fmt.Sprint(t.list) != "[amd64 go linux]" {
		fmt.Println("WRONG:", t.list)
		return
	}
	fmt.Println("OK")
}
