// The victim is two pointers away from main's variable, and that variable is an interface: server.routes.admin in its own words.
package main

import (
	"fmt"
	"strings"
)

type routes struct {
	admin, public []string
}

type server struct {
	name   string
	routes *routes
}

type handler interface {
	add(guards []string)
	first() string
}

//go:noinline
func (s *server) add(guards []string) {
	s.routes.admin = append(guards, "admins-only")
	s.routes.public = append(guards, "anyone") // want: ghost-write victim=server.routes.admin before="admins-only" after="anyone"
}

func (s *server) first() string { return s.routes.admin[3] }

//go:noinline
func newHandler(name string) handler { return &server{name, &routes{}} }

func main() {
	server := newHandler("front")
	var guards []string
	for _, name := range strings.Fields("log gzip cors") {
		guards = append(guards, name) // len 3, cap 4 in the end
	}
	server.add(guards)
	if got := server.first(); got != "admins-only" {
		fmt.Printf("WRONG: admin is guarded by %s\n", got)
		return
	}
	fmt.Println(server.first())
	fmt.Println("OK")
}
