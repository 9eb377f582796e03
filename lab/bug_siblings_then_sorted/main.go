// Two teams share the array of their leads: the second append writes over the first team's member. Then the second team is
// sorted by name, in the same array, which makes more of the first team wrong; the append was the first to do it.
package main

import (
	"fmt"
	"sort"
	"strings"
)

type team struct {
	name    string
	members []string
}

func newTeam(name string, leads []string, member string) *team {
	return &team{name, append(leads, member)} // want: ghost-write victim=members before="zoe" after="adam"
}

func main() {
	var leads []string
	for _, lead := range strings.Fields("walt xena yuri") {
		leads = append(leads, lead)
	}
	teams := []*team{newTeam("night", leads, "zoe"), newTeam("day", leads, "adam")}
	text := strings.Join(teams[0].members, " ")
	sort.Strings(teams[1].members)
	fmt.Println("day", teams[1].members)
	if text += " " + teams[0].members[len(leads)]; text != "walt xena yuri zoe zoe" {
		fmt.Println("WRONG: the night team is", text)
		return
	}
	fmt.Println("OK")
}
