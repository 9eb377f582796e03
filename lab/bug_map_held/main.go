// A map entry is copied to a second key, as Clone methods of metadata maps do. Both entries then
// append into the same spare slot.
package main

import (
	"fmt"
	"strings"
)

type metadata map[string][]string

func (m metadata) clone() metadata {
	c := metadata{}
	for k, v := range m {
		c[k] = v
	}
	return c
}

func (m metadata) add(key, value string) {
	m[key] = append(m[key], value) // want: ghost-write before="from-a" after="from-b" holder=heap|stack
}

func main() {
	base := metadata{}
	for _, hop := range strings.Fields("edge proxy cache") {
		base.add("via", hop)
	}
	a, b := base.clone(), base.clone()
	a.add("via", "from-a")
	b.add("via", "from-b")

	last := a["via"][len(a["via"])-1]
	fmt.Println("a:", strings.Join(a["via"], " "))
	if last != "from-a" {
		fmt.Printf("WRONG: the last hop of a is %s\n", last)
		return
	}
	fmt.Println("OK")
}
