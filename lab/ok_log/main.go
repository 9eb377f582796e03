// The standard logger formats every line into buffers that it reuses.
package main

import (
	"fmt"
	"log"
	"strings"
)

func main() {
	var out strings.Builder
	l := log.New(&out, "app: ", log.Lmsgprefix)
	sub := log.New(&out, "sub: ", 0)
	for i := 0; i < 150; i++ {
		l.Printf("request %d took %dms", i, i*3)
		sub.Println("request", i)
	}
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	if len(lines) != 300 || lines[0] != "app: request 0 took 0ms" || lines[299] != "sub: request 149" {
		fmt.Println("WRONG:", len(lines), lines[0], lines[len(lines)-1])
		return
	}
	fmt.Println("OK")
}
