// Options are values that are added to one after the other; two that fork from one share its array.
// All of it is inlined into one frame, and the lengths are constants.
package main

import "fmt"

type options struct{ names []string }

func (o options) with(name string) options {
	o.names = append(o.names, name) // want: ghost-write
	return o
}

var last options

func main() {
	common := options{}.with("retry").with("trace").with("cache")
	reader, writer := common.with("read-only"), common.with("sync")
	last = writer
	if reader.names[3] != "read-only" {
		fmt.Printf("WRONG: the reader is %s\n", reader.names[3])
		return
	}
	fmt.Println("OK")
}
