// Every way to sort of package sort, of slices that were built by appends and are used again for the next round.
package main

import (
	"fmt"
	"sort"
)

type person struct {
	Name string
	Age  int
}
type byAge []person

func (b byAge) Len() int           { return len(b) }
func (b byAge) Less(i, j int) bool { return b[i].Age < b[j].Age }
func (b byAge) Swap(i, j int)      { b[i], b[j] = b[j], b[i] }

func main() {
	var people []person
	var ints []int
	var words []string
	var floats sort.Float64Slice
	for round := 1; round < 30; round += 4 {
		people, ints, words, floats = people[:0], ints[:0], words[:0], floats[:0]
		for i := 0; i < round; i++ {
			n := (i*7919 + round) % 101
			people = append(people, person{fmt.Sprint("p", n), n % 9})
			ints = append(ints, n)
			words = append(words, fmt.Sprint("w", n))
			floats = append(floats, float64(n)/3)
		}
		sort.Sort(byAge(people))
		sort.Stable(sort.Reverse(byAge(people)))
		sort.Ints(ints)
		sort.Sort(sort.Reverse(sort.StringSlice(words)))
		floats.Sort()
		fmt.Println(people, ints, words, floats[0])
		sort.Slice(people, func(i, j int) bool { return people[i].Name < people[j].Name })
		sort.SliceStable(people, func(i, j int) bool { return people[i].Age > people[j].Age })
		fmt.Println(people, sort.SearchInts(ints, 50), sort.IsSorted(byAge(people)))
	}
}
