// A map of lists of values, as HTTP headers are: Add appends, Set replaces, Clone gives each list its own end of one array.
package main

import (
	"fmt"
	"sort"
	"strings"
)

type header map[string][]string

func (h header) add(key, value string) { h[key] = append(h[key], value) }
func (h header) set(key, value string) { h[key] = append(h[key][:0:0], value) }
func (h header) clone() header {
	n := 0
	for _, vs := range h {
		n += len(vs)
	}
	all := make([]string, n)
	c := make(header, len(h))
	for k, vs := range h {
		n := copy(all, vs)
		c[k] = all[:n:n]
		all = all[n:]
	}
	return c
}

func (h header) String() string {
	var keys []string
	for k := range h {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	var lines []string
	for _, k := range keys {
		lines = append(lines, k+": "+strings.Join(h[k], ","))
	}
	return strings.Join(lines, "; ")
}

func main() {
	base := header{}
	base.add("Accept", "text/html")
	base.add("Accept", "text/plain")
	base.add("Accept", "*/*")
	base.set("Host", "example.com")
	var all []header
	for i := 0; i < 20; i++ {
		h := base.clone()
		h.add("Accept", fmt.Sprint("type/", i))
		h.add("Host", "other")
		h.set("X-Id", fmt.Sprint(i))
		all = append(all, h)
	}
	for i, h := range all {
		want := fmt.Sprintf("Accept: text/html,text/plain,*/*,type/%d; Host: example.com,other; X-Id: %d", i, i)
		if h.String() != want {
			fmt.Println("WRONG:", h)
			return
		}
	}
	fmt.Println(base)
	fmt.Println("OK")
}
