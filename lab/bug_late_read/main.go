// Between the write and the read much happens: the program works on, collects garbage, starts
// goroutines and moves its stacks. The damaged value is read long afterwards.
package main

import (
	"fmt"
	"runtime"
	"strings"
	"sync"
)

type profile struct {
	user  string
	roles []string
}

var profiles = map[string]*profile{}

func grant(user string, base []string, role string) {
	profiles[user] = &profile{user, append(base, role)} // want: ghost-write victim=roles|profiles before="admin" after="guest"
}

func busy(n int) int {
	var pad [64]int
	if n == 0 {
		return 0
	}
	pad[n%64] = n
	return busy(n-1) + pad[n%64] - n + 1
}

func main() {
	var base []string
	for _, role := range strings.Fields("read list ping") {
		base = append(base, role)
	}
	grant("ann", base, "admin")
	grant("bob", base, "guest")

	var wg sync.WaitGroup
	depth := make([]int, 8)
	for g := range depth {
		wg.Add(1)
		go func(g int) {
			defer wg.Done()
			depth[g] = busy(200 * g)
			runtime.GC()
		}(g)
	}
	wg.Wait()
	depth[0] = busy(3000)

	ann := profiles["ann"]
	fmt.Println(ann.user, "may", strings.Join(ann.roles, " "), depth)
	if ann.roles[3] != "admin" {
		fmt.Println("WRONG: ann is", ann.roles[3])
		return
	}
	fmt.Println("OK")
}
