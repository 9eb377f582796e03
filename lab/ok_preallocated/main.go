// One array is cut into lists whose capacity ends where the next list starts.
package main

import "fmt"

func main() {
	const lists, room = 10, 5
	backing := make([]int, lists*room)
	var buckets [lists][]int
	for i := range buckets {
		buckets[i] = backing[i*room : i*room : (i+1)*room]
	}
	for round := 0; round < 40; round++ {
		for i := range buckets {
			buckets[i] = buckets[i][:0]
		}
		for v := 0; v < 30; v++ {
			k := (v + round) % lists
			buckets[k] = append(buckets[k], v)
		}
	}
	sum := 0
	for _, b := range buckets {
		for _, v := range b {
			sum += v
		}
	}
	if sum != 435 {
		fmt.Println("WRONG:", sum, buckets)
		return
	}
	fmt.Println("OK")
}
