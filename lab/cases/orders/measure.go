package main

import (
	"fmt"
	"sync"
)

const (
	measuredOrders = 1000
	rounds         = 200
)

// round cuts the orders into chunks that have `room` more places than elements (as much as there is when it is negative),
// appends to each in a goroutine, and counts the orders that a worker saw wrong and those that are lost afterwards.
func round(size, room int) (seen, lost int) {
	orders := make([]int, measuredOrders)
	for i := range orders {
		orders[i] = i
	}
	var wg sync.WaitGroup
	wrong := make([]int, (measuredOrders+size-1)/size)
	for worker := range wrong {
		start := worker * size
		end := start + size
		if end > len(orders) {
			end = len(orders)
		}
		limit := len(orders)
		if room >= 0 && end+room < limit {
			limit = end + room
		}
		chunk := orders[start:end:limit]
		wg.Add(1)
		go func(worker, start int) {
			defer wg.Done()
			chunk := append(chunk, -1)
			for i, order := range chunk[:len(chunk)-1] {
				if order != start+i {
					wrong[worker]++
				}
			}
		}(worker, start)
	}
	wg.Wait()
	for i, order := range orders {
		if order != i {
			lost++
		}
	}
	for _, n := range wrong {
		seen += n
	}
	return seen, lost
}

// least and most of a series.
type span struct{ least, most, sum int }

func (s *span) add(n int, first bool) {
	if first || n < s.least {
		s.least = n
	}
	if first || n > s.most {
		s.most = n
	}
	s.sum += n
}

func measure() {
	fmt.Println("fact rounds", rounds)
	widest := 0
	for _, size := range []int{4, 8, 16, 27, 50, 100} {
		var seen, lost span
		for i := 0; i < rounds; i++ {
			s, l := round(size, -1)
			seen.add(s, i == 0)
			lost.add(l, i == 0)
		}
		fmt.Printf("fact lost_percent[%d] %.2f\n", size, 100*float64(lost.sum)/rounds/measuredOrders)
		fmt.Printf("fact lost_range[%d] %d to %d\nfact lost_spread[%d] %d\n", size, lost.least, lost.most, size, lost.most-lost.least)
		fmt.Printf("fact seen_range[%d] %d to %d\n", size, seen.least, seen.most)
		if spread := seen.most - seen.least; spread > widest {
			widest = spread
		}
	}
	fmt.Println("fact seen_spread", widest)
	for _, room := range []int{0, 1, 2, 10, 100} {
		_, lost := round(10, room)
		fmt.Printf("fact lost_with_room[%d] %d\n", room, lost)
	}
}
