// A method value copies its receiver, and with it the slice header. Two bound methods of one logger
// keep fields that share a spare slot.
// want-miss: the victim is inside a bound method value on the stack, which has no name in DWARF
package main

import (
	"fmt"
	"strings"
)

type logger struct {
	fields []string
}

func (l logger) with(field string) logger {
	l.fields = append(l.fields, field) // want: ghost-write victim=fields before="user=ann" after="user=bob"
	return l
}

func (l logger) line(msg string) string { return msg + " " + strings.Join(l.fields, " ") }

func main() {
	var root logger
	for _, field := range strings.Fields("host=a pid=7 env=prod") {
		root = root.with(field) // len 3, cap 4 in the end
	}

	printers := []func(string) string{root.with("user=ann").line, root.with("user=bob").line}

	got := printers[0]("login")
	fmt.Println(got)
	fmt.Println(printers[1]("login"))
	if !strings.HasSuffix(got, "user=ann") {
		fmt.Println("WRONG: ann's line is", got)
		return
	}
	fmt.Println("OK")
}
