// Variants of a label list: the default list has room, and the list of the first service changes when
// the second one is made.
package main

import (
	"fmt"
	"sort"
	"strings"
)

var defaults = append(make([]string, 0, 8), "team=core", "zone=eu")

type service struct {
	name   string
	labels []string
}

func register(all map[string]service, name string, label string) {
	all[name] = service{name, append(defaults, label)} // want: ghost-write victim=labels before="tier=db" after="tier=web"
}

func main() {
	services := map[string]service{}
	register(services, "postgres", "tier=db")
	register(services, "nginx", "tier=web")

	var names []string
	for name := range services {
		names = append(names, name)
	}
	sort.Strings(names)
	for _, name := range names {
		fmt.Println(name, strings.Join(services[name].labels, ","))
	}
	if got := services["postgres"].labels[2]; got != "tier=db" {
		fmt.Println("WRONG: postgres is labelled", got)
		return
	}
	fmt.Println("OK")
}
