// Arguments for each call are made from common ones in place; each call is over before the next one.
package main

import (
	"fmt"
	"strings"
)

type runner struct {
	common []string
	log    []string
}

func (r *runner) run(args ...string) { r.log = append(r.log, strings.Join(args, " ")) }

func main() {
	r := &runner{common: append(make([]string, 0, 8), "tar", "-x")}
	for i := 0; i < 100; i++ {
		args := append(r.common, "-f", fmt.Sprintf("a%d.tar", i))
		r.run(args...)
	}
	if r.log[0] != "tar -x -f a0.tar" || r.log[99] != "tar -x -f a99.tar" {
		fmt.Println("WRONG:", r.log[0], r.log[99])
		return
	}
	fmt.Println("OK")
}
