// Insertion into a sorted slice by append and copy, and removal from its end.
package main

import (
	"fmt"
	"sort"
)

type timers struct {
	at []int
}

func (t *timers) insert(v int) {
	i := sort.SearchInts(t.at, v)
	t.at = append(t.at, 0)
	copy(t.at[i+1:], t.at[i:])
	t.at[i] = v
}

func (t *timers) latest() int {
	last := t.at[len(t.at)-1]
	t.at = t.at[:len(t.at)-1]
	return last
}

func main() {
	t := &timers{}
	sum := 0
	for i := 0; i < 400; i++ {
		t.insert(i * 7919 % 1000)
		if i%3 == 2 {
			sum += t.latest()
		}
	}
	if !sort.IntsAreSorted(t.at) || len(t.at) != 267 || sum == 0 {
		fmt.Println("WRONG:", len(t.at), sum)
		return
	}
	fmt.Println("OK")
}
