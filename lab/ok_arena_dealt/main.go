// Letters are sorted into pigeonholes that are cut, each with a limit, from one array that every round uses again; the postman's bag is then
// filled again from them by a helper.
// heal-changes: the bag is meant to be filled in place
package main

import "fmt"

type letter struct {
	street, number int
}

type office struct{ holes []letter }

//go:noinline
func take(bag []letter, hole []letter) []letter {
	for _, l := range hole {
		bag = append(bag, l)
	}
	return bag
}

//go:noinline
func (o *office) sort(bag []letter, key func(letter) int, n int) {
	var holes [16][]letter
	for i := 0; i < n; i++ {
		holes[i] = o.holes[i*len(bag) : i*len(bag) : (i+1)*len(bag)]
	}
	for _, l := range bag {
		k := key(l)
		holes[k] = append(holes[k], l)
	}
	to := bag[:0]
	for i := 0; i < n; i++ {
		to = take(to, holes[i])
	}
}

func main() {
	o := &office{holes: make([]letter, 16*20)}
	for round := 0; round < 40; round++ {
		bag := make([]letter, 20)
		for i := range bag {
			bag[i] = letter{(i*7+round)%5 + 1, (i*11+round*3)%15 + 1}
		}
		o.sort(bag, func(l letter) int { return l.number }, 16)
		o.sort(bag, func(l letter) int { return l.street }, 6)
		for i := 1; i < len(bag); i++ {
			a, b := bag[i-1], bag[i]
			if a.street > b.street || a.street == b.street && a.number > b.number {
				fmt.Println("WRONG:", bag)
				return
			}
		}
	}
	fmt.Println("OK")
}
