// The slice is one of several things in a result that is made of structs; what the caller keeps of
// it are words, each where there was room.
package main

import (
	"fmt"
	"strings"
)

type labels struct {
	all []string
}

type metric struct {
	name string
	labels
	value int
}

//go:noinline
func count(name string, common []string, label string, value int) metric {
	return metric{name, labels{append(common, label)}, value} // want: ghost-write before="code=200" after="code=500"
}

func main() {
	common := strings.Split("job=web env=prod zone=b host=h1 pid=7", " ")[:4:5]

	good := count("requests", common, "code=200", 31)
	bad := count("requests", common, "code=500", 2)

	line := func(m metric) string { return fmt.Sprint(m.name, m.all, m.value) }
	fmt.Println(line(good))
	fmt.Println(line(bad))
	if !strings.Contains(line(good), "code=200") {
		fmt.Println("WRONG: the good ones are", line(good))
		return
	}
	fmt.Println("OK")
}
