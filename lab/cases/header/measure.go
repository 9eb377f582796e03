package main

import (
	"fmt"
	"strconv"
	"strings"
	"unsafe"
)

const longest = 2000 // elements appended for the growth table

var heap any

// grow appends one element after the other and returns each new capacity. The slice is kept, as most are: the array of one that
// is not may lie on the stack.
func grow[T any]() []int {
	var s []T
	defer func() { heap = s }()
	var caps []int
	var zero T
	for len(s) < longest {
		before := cap(s)
		s = append(s, zero)
		if cap(s) != before {
			caps = append(caps, cap(s))
		}
	}
	return caps
}

func tell(size int, caps []int) {
	var words []string
	small, large := true, true
	for i, c := range caps {
		words = append(words, strconv.Itoa(c))
		if i == 0 || caps[i-1] == 0 {
			continue
		}
		if doubled := c == 2*caps[i-1]; caps[i-1] < 256 {
			small = small && doubled
		} else {
			large = large && doubled
		}
	}
	fmt.Printf("fact growth[%d] %s\n", size, strings.Join(words, " "))
	fmt.Printf("fact first_cap[%d] %d\n", size, caps[0])
	fmt.Printf("fact doubles[%d-bytes-below-256] %s\nfact doubles[%d-bytes-from-256] %s\n", size, yes(small), size, yes(large))
}

func shares(how string, s []int) {
	t := append(s, 1)
	t[0]++
	fmt.Printf("fact shares[%s] %s\n", how, yes(s[0] == t[0]))
}

func measure() {
	a := [3]int{1, 2, 3}
	b := a
	b[0] = 9
	s := []int{1, 2, 3}
	t := s
	t[0] = 9
	fmt.Printf("fact array_follows %s\nfact slice_follows %s\n", yes(a[0] == 9), yes(s[0] == 9))
	fmt.Printf("fact header_bytes %d\n", unsafe.Sizeof(s))
	shares("make(2,2)", make([]int, 2, 2))
	shares("make(1,4)", make([]int, 1, 4))
	shares("literal-of-3", []int{1, 2, 3})
	shares("first-2-of-3", []int{1, 2, 3}[:2])
	shares("first-2-of-3,cap-2", []int{1, 2, 3}[:2:2])
	grown := append([]int{1, 2, 3}, 4)
	shares("grown-from-3-to-4", grown)
	var local []int
	for i := 0; i < 1; i++ {
		local = append(local, i)
	}
	fmt.Printf("fact first_cap_local %d\n", cap(local))
	tell(1, grow[byte]())
	tell(8, grow[int]())
	tell(24, grow[[3]int]())
	tell(200, grow[[25]int]())
}

func yes(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}
