// One result is read and done with before the next is made from the same start.
package main

import "fmt"

type options struct{ names []string }

func (o options) with(name string) options {
	o.names = append(o.names, name)
	return o
}

var read int

func main() {
	common := options{}.with("retry").with("trace").with("cache")
	one := common.with("read-only")
	if one.names[3] == "read-only" {
		read += len(one.names)
	}
	one = common.with("sync")
	if one.names[3] == "sync" {
		read += len(one.names)
	}
	two := common.with("async")
	if two.names[3] == "async" && two.names[2] == "cache" {
		read += len(two.names)
	}
	if read != 12 {
		fmt.Println("WRONG", read)
		return
	}
	fmt.Println("OK")
}
