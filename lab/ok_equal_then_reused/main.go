// Two neighbouring cuts of one array are joined by an append, which writes what stands there already, as a search for common
// parts of two texts does. The array is read once more as a whole; then all cuts of it are dropped, and it is cleared for the next text.
package main

import "fmt"

func index(s, part []int32, from int) int {
	for i := from; i+len(part) <= len(s); i++ {
		k := 0
		for k < len(part) && s[i+k] == part[k] {
			k++
		}
		if k == len(part) {
			return i
		}
	}
	return -1
}

// around gives what stands before the part, the part with its neighbours, and what stands after it.
//
//go:noinline
func around(s, part []int32) [][]int32 {
	i := index(s, part, 0)
	if i < 1 || i+len(part) >= len(s) {
		return nil
	}
	left, right := s[i-1:i], s[i:i+len(part)+1]
	return [][]int32{s[:i-1], append(left, right...), s[i+len(part)+1:]}
}

//go:noinline
func best(s []int32, parts [][]int32) (found [][]int32, at int) {
	for i := 0; i < len(parts); i++ {
		if f := around(s, parts[i]); f != nil && index(s, parts[i], 1) > 0 {
			found, at = f, i
		}
	}
	return found, at
}

func sum(s []int32) (n int) {
	for _, x := range s {
		n += int(x)
	}
	return n
}

func main() {
	total := 0
	s := make([]int32, 64)
	for round := 0; round < 40; round++ {
		text := fmt.Sprintf("a text of about fifty letters, number %02d, and its end", round)
		for i, r := range text {
			s[i] = r
		}
		found, at := best(s[:len(text)], [][]int32{[]int32("number"), []int32("letters"), []int32("zebra")})
		if at != 1 || len(found) != 3 || string(found[1]) != " letters," {
			fmt.Println("WRONG:", at, string(s))
			return
		}
		total += sum(found[0]) + sum(found[2])
		for i := range s {
			s[i] = 0
		}
	}
	if total < 40*1000 {
		fmt.Println("WRONG:", total)
		return
	}
	fmt.Println("OK")
}
