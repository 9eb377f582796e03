// A request goes back to the pool with its user in it, and a handler that sets none takes the next one
// out: it serves an anonymous request as that user.
package main

import (
	"fmt"
	"sync"
)

type request struct {
	path string
	user string
	tags []string
}

var requests = sync.Pool{New: func() any { return &request{user: "anonymous"} }}
var stats = sync.Pool{New: func() any { return new(int) }}

func serve(path, user string) string {
	n := stats.Get().(*int)
	*n = 0
	defer stats.Put(n)
	r := requests.Get().(*request)
	r.path = path
	if user != "" {
		r.user = user
	}
	r.tags = append(r.tags[:0], "http")
	answer := r.user + " reads " + r.path
	requests.Put(r) // pooled: put
	*n++
	return answer
}

func main() {
	for try := 0; try < 50; try++ { // a goroutine may change its processor, and then its part of the pool
		serve("/admin", "root")
		if second := serve("/public", ""); second != "anonymous reads /public" {
			fmt.Println("WRONG: with another one's rights,", second)
			return
		}
	}
	fmt.Println("OK")
}
