// Loops over maps that insert into the map, and such that change it in ways that are allowed.
//
//	map_walks alias|nodes|method         the loop walks over what it has inserted, and inserts again
//	map_walks closure|lower              it inserts, and whatever it sees of that makes no difference
//	map_walks leave|update|remove|clone  nothing to be said
package main

import (
	"fmt"
	"os"
	"strings"
)

func alias() {
	most := 0
	for round := 0; round < 60; round++ {
		labels := map[string]string{"app": "a", "tier": "b", "zone": "c"}
		for k, v := range labels { // alias: ranges over
			labels["kube_"+k] = v // alias: inserts into
		}
		most = max(most, len(labels))
	}
	fmt.Println("each has one alias:", most == 6)
}

func nodes() {
	next := map[int][]int{}
	for i := 0; i < 5; i++ {
		next[i] = []int{i + 1, i + 2}
	}
	least := 7
	for round := 0; round < 60; round++ {
		todo := map[int]bool{0: true}
		for n := range todo { // nodes: ranges over
			for _, m := range next[n] {
				todo[m] = true // nodes: inserts into
			}
		}
		least = min(least, len(todo))
	}
	fmt.Println("all are reached:", least == 7)
}

type settings struct{ vars map[string]string }

//go:noinline
func (s *settings) mirror(k string) {
	s.vars["env."+k] = s.vars[k] // method: inserts into
}

func method() {
	most := 0
	for round := 0; round < 60; round++ {
		s := &settings{map[string]string{"x": "1", "y": "2"}}
		for k := range s.vars { // method: ranges over
			s.mirror(k)
		}
		most = max(most, len(s.vars))
	}
	fmt.Println("each is mirrored once:", most == 4)
}

// closure goes over the set until there is nothing new.
func closure() {
	needs := map[string][]string{"a": {"b", "c"}, "b": {"d"}, "c": {"e"}, "d": {"f"}, "f": {"g"}}
	set := map[string]bool{"a": true}
	for changed := true; changed; {
		changed = false
		for k := range set { // closure: ranges over
			for _, n := range needs[k] {
				if !set[n] {
					set[n] = true // closure: inserts into
					changed = true
				}
			}
		}
	}
	fmt.Println(len(set))
}

// lower writes the keys in small letters; one that is has nothing to be done.
func lower() {
	left := 0
	for round := 0; round < 40; round++ {
		m := map[string]int{"Host": 1, "PORT": 2, "path": 3, "User": 4}
		for k, v := range m { // lower: ranges over
			if l := strings.ToLower(k); l != k {
				delete(m, k)
				m[l] = v // lower: inserts into
			}
		}
		left += len(m)
	}
	fmt.Println(left)
}

func leave() {
	m := map[int]string{1: "a", 2: "b", 3: "c"}
	for round := 0; round < 20; round++ {
		for k := range m {
			if k == 2 {
				m[100+round] = "new"
				break
			}
		}
		for k := range m {
			m[k] += "x"
		}
	}
	fmt.Println(len(m))
}

func update() {
	m := map[string]int{"a": 1, "b": 2}
	for round := 0; round < 20; round++ {
		for k, v := range m {
			m[k] = v + 1
		}
	}
	fmt.Println(m["a"], m["b"])
}

func remove() {
	left := 0
	for round := 0; round < 20; round++ {
		m := map[int]int{}
		for i := 0; i < 30; i++ {
			m[i] = i
		}
		for k := range m {
			if k%2 == 0 {
				delete(m, k)
			}
		}
		left += len(m)
	}
	fmt.Println(left)
}

// clone inserts into another map than it ranges over, and into its own after the loop.
func clone() {
	m := map[string]int{"a": 1, "b": 2}
	for round := 0; round < 10; round++ {
		more := map[string]int{}
		for k, v := range m {
			more[k+"'"] = v
		}
		for k, v := range more {
			m[k[:1]+fmt.Sprint(round)] = v
		}
	}
	fmt.Println(len(m))
}

func min(a, b int) int {
	if a < b {
		return a
	}
	return b
}

func max(a, b int) int { return a + b - min(a, b) }

func main() {
	map[string]func(){"alias": alias, "nodes": nodes, "method": method, "closure": closure, "lower": lower, "leave": leave,
		"update": update, "remove": remove, "clone": clone}[os.Args[1]]()
}
