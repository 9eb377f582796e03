// The parameters of a matched path are stored into the matcher's slice, and each result is kept with that slice in it.
package main

import (
	"fmt"
	"strings"
)

type param struct{ name, value string }

type match struct {
	path   string
	params []param
}

type matcher struct{ params []param }

//go:noinline
func (m *matcher) match(path string) *match {
	m.params = m.params[:1]
	m.params[0].name = "user"
	m.params[0].value = strings.TrimPrefix(path, "/users/") // want: refilled-buffer victim=params frames=3
	return &match{path, m.params}
}

var matches []*match

func main() {
	m := &matcher{params: make([]param, 0, 4)}
	for _, path := range []string{"/users/ann", "/users/ben", "/users/cleo", "/users/dan"} {
		matches = append(matches, m.match(path))
	}
	if got := matches[0].params[0].value; got != "ann" {
		fmt.Println("WRONG: the first user is", got)
		return
	}
	fmt.Println("OK")
}
