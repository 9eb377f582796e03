// One element is taken out of a slice that another holder still has, and what is left is reversed but for its last element. The
// holder is read in between, where it misses a stop because of the append, and again after both.
package main

import (
	"fmt"
	"slices"
)

type stop struct {
	name string
	at   int
}

type line struct{ stops []stop }

//go:noinline
func (l *line) without(i int) []stop {
	return append(l.stops[:i], l.stops[i+1:]...) // want: ghost-write victim=stops|l
}

func main() {
	l := &line{}
	for i, name := range []string{"north", "mill", "hall", "park", "south"} {
		l.stops = append(l.stops, stop{name, i * 3})
	}
	express := l.without(1)
	sum := 0
	for i := 0; i < len(l.stops); i++ {
		sum += l.stops[i].at
	}
	if len(express) == 4 {
		slices.Reverse(express[:len(express)-1])
	}
	for _, s := range express {
		fmt.Print(s.name, " ")
	}
	fmt.Println(l.stops[0].at)
	if sum != 30 {
		fmt.Println("WRONG:", sum)
		return
	}
	fmt.Println("OK")
}
