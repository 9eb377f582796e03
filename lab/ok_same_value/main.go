// Two slices write the same value into the slot they share: no value changes.
package main

import "fmt"

type stmt struct {
	ops []string
}

func (s *stmt) finish() *stmt { return &stmt{append(s.ops, "end")} }

func main() {
	base := &stmt{ops: make([]string, 0, 8)}
	base.ops = append(base.ops, "load", "add", "store")
	var all []*stmt
	for i := 0; i < 50; i++ {
		all = append(all, base.finish())
	}
	for _, s := range all {
		if s.ops[3] != "end" || len(s.ops) != 4 {
			fmt.Println("WRONG:", s.ops)
			return
		}
	}
	fmt.Println("OK")
}
