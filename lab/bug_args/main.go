// A program completes its command line: it appends to a part of the arguments it was started with.
package main

import (
	"fmt"
	"strings"
)

type command struct {
	args []string
}

// complete asks what could follow the flag, without changing the command, or so it looks.
func (c *command) complete() string {
	flags := append(c.args[:1], "__complete") // want: ghost-write victim=args before="get" after="__complete"
	return strings.Join(flags, " ")
}

func main() {
	c := &command{args: strings.Split("kube get pods -o wide", " ")}
	fmt.Println("asks", c.complete())
	fmt.Println("runs", strings.Join(c.args, " "))
	if c.args[1] != "get" {
		fmt.Println("WRONG: the subcommand is", c.args[1])
		return
	}
	fmt.Println("OK")
}
