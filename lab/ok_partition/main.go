// In-place partition of one slice into two that do not overlap, each with its own capacity.
package main

import "fmt"

type split struct {
	low, high []int
}

func partition(v []int, pivot int) *split {
	low := v[:0]
	var rest []int
	for _, x := range v {
		if x < pivot {
			low = append(low, x)
		} else {
			rest = append(rest, x)
		}
	}
	n := len(low)
	high := append(v[n:n], rest...)
	return &split{low[:n:n], high}
}

func main() {
	for round := 0; round < 60; round++ {
		v := make([]int, 40)
		for i := range v {
			v[i] = (i*17 + round) % 40
		}
		s := partition(v, 15)
		s.low = append(s.low, -1) // copies: its capacity ends before high
		for _, x := range s.high {
			if x < 15 {
				fmt.Println("WRONG:", s)
				return
			}
		}
		if len(s.low) != 16 || len(s.high) != 25 {
			fmt.Println("WRONG:", s)
			return
		}
	}
	fmt.Println("OK")
}
