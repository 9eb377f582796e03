// Two routes of one group, made again and again: how often the second spoiled the first, told for each line of input. It is for
// who heals a program that runs.
package main

import (
	"bufio"
	"fmt"
	"os"
	"strings"
	"sync/atomic"
	"time"
)

type route struct{ chain []string }

//go:noinline
func newRoute(group []string, guard string) *route {
	return &route{append(group, guard)}
}

var made, wrong atomic.Int64

func main() {
	var group []string
	for _, name := range strings.Fields("log gzip cors") {
		group = append(group, name) // len 3, cap 4 in the end
	}
	go func() {
		for {
			admin := newRoute(group, "admins-only")
			newRoute(group, "anyone")
			if admin.chain[3] != "admins-only" {
				wrong.Add(1)
			}
			made.Add(1)
			time.Sleep(time.Millisecond)
		}
	}()
	fmt.Println("ready", os.Getpid())
	for in := bufio.NewScanner(os.Stdin); in.Scan(); {
		// One that is being made may be counted next time.
		fmt.Println(wrong.Swap(0), made.Swap(0))
	}
	fmt.Println("failed 0")
}
