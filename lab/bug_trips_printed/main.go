// All trips of three legs through a network, collected on the way down and looked at by fmt alone: it reads each header where it is, and
// makes a copy of it that nobody reads.
package main

import "fmt"

type stop struct {
	zone int
	next []*stop
}

func trips(at *stop, legs int, trip []int, all *[][]int) {
	trip = append(trip, at.zone) // want: ghost-write victim=all[0]|all[2]|heap
	if legs == 0 {
		*all = append(*all, trip)
		return
	}
	for _, s := range at.next {
		trips(s, legs-1, trip, all)
	}
}

func main() {
	a, b, c := &stop{zone: 4}, &stop{zone: 5}, &stop{zone: 6}
	a.next, b.next, c.next = []*stop{b, c}, []*stop{a, c}, []*stop{b}
	var all [][]int
	trips(a, 3, nil, &all)
	got := fmt.Sprint(all)
	if want := "[[4 5 4 5] [4 5 4 6] [4 5 6 5] [4 6 5 4] [4 6 5 6]]"; got != want {
		fmt.Println("WRONG:", got)
		return
	}
	fmt.Println("OK")
}
