// A method that is too large to be inlined removes a name in place and returns the rest; the caller had
// kept the list of everybody in a struct.
package main

import (
	"fmt"
	"strings"
)

type team struct {
	name    string
	members []string
	log     []string
}

func (t *team) without(who string) []string {
	for i, m := range t.members {
		if !strings.EqualFold(m, who) {
			continue
		}
		t.log = append(t.log, fmt.Sprintf("%s: %s is away", t.name, m))
		if i == 0 && len(t.members) == 1 {
			t.log = append(t.log, "nobody is left")
			return nil
		}
		return append(t.members[:i], t.members[i+1:]...) // want: ghost-write victim=members before="bob" after="carol"
	}
	t.log = append(t.log, fmt.Sprintf("%s: no %s here", t.name, who))
	return t.members
}

func (t *team) has(who string) bool {
	for _, m := range t.members {
		if m == who {
			return true
		}
	}
	return false
}

func main() {
	teams := map[string]*team{}
	for _, line := range strings.Split("red:alice,bob,carol,dave;blue:erin,frank", ";") {
		name, members, _ := strings.Cut(line, ":")
		teams[name] = &team{name: name, members: strings.Split(members, ",")}
	}
	red := teams["red"]
	today := red.without("bob")

	fmt.Println("today", today, red.log)
	fmt.Println("members", red.members)
	if !red.has("bob") {
		fmt.Println("WRONG: bob is no member any more")
		return
	}
	fmt.Println("OK")
}
