// A route gets one more stop with slices.Insert, which finds room; the stops as they were are kept to be compared, and change.
//
// want-miss-stripped: a variable of a calling function is told from what it only hands on by its name
package main

import (
	"fmt"
	"slices"
)

type route struct{ stops []string }

func main() {
	r := &route{stops: make([]string, 0, 16)}
	for _, name := range []string{"harbour", "market", "castle", "station"} {
		r.stops = append(r.stops, name)
	}
	before := r.stops
	r.stops = slices.Insert(r.stops, 1, "museum") // want: refilled-buffer victim=before
	text := fmt.Sprint(before)
	if text != "[harbour market castle station]" {
		fmt.Println("WRONG: before, the route was", text, "and now it is", r.stops)
		return
	}
	fmt.Println("OK")
}
