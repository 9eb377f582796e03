// Requests are set up anew when they come out of the pool, whatever they were before.
package main

import (
	"fmt"
	"strings"
	"sync"
)

type request struct {
	path, user string
	tags       []string
}

var requests = sync.Pool{New: func() any { return new(request) }}

func serve(path, user string) string {
	r := requests.Get().(*request)
	defer requests.Put(r)
	*r = request{path: path, user: "anonymous", tags: r.tags[:0]}
	if user != "" {
		r.user = user
	}
	r.tags = append(r.tags, "http", r.user)
	return r.user + " reads " + r.path + " " + strings.Join(r.tags, ",")
}

func main() {
	var all []string
	for _, user := range []string{"root", "", "guest", ""} {
		all = append(all, serve("/"+user, user))
	}
	fmt.Println(strings.Join(all, "\n"))
	if all[3] != "anonymous reads / http,anonymous" {
		fmt.Println("WRONG")
		return
	}
	fmt.Println("OK")
}
