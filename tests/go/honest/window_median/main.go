// The median of a moving window: sorted inserts by copy, deletions by append.
package main

import (
	"fmt"
	"sort"
)

func main() {
	var win []int
	s := 12345
	var last []int
	sum := 0
	for i := 0; i < 800; i++ {
		s = (s*1103515245 + 12345) & 0x7fffffff
		x := s % 1000
		last = append(last, x)
		j := sort.SearchInts(win, x)
		win = append(win, 0)
		copy(win[j+1:], win[j:])
		win[j] = x
		if len(win) > 25 {
			old := last[0]
			last = last[1:]
			k := sort.SearchInts(win, old)
			win = append(win[:k], win[k+1:]...)
		}
		sum += win[len(win)/2]
	}
	fmt.Println(sum, win[:5])
}
