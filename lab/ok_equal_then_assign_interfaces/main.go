// A slice of interfaces is filtered in place, nothing falls out, and then every element is replaced through the result. The
// sum is taken through the old header: same array, same length, for every append found the place of its own element.
// heal-changes: the filter keeps everything and is known to share the array, which a copy does not
package main

import "fmt"

type sized interface{ size() int }
type a int
type b struct{ name string }

func (x a) size() int  { return int(x) }
func (x *b) size() int { return len(x.name) }

func sum(s []sized) (n int) {
	for _, x := range s {
		n = n*10 + x.size()
	}
	return n
}

//go:noinline
func positive(things []sized) []sized {
	kept := things[:0]
	for _, x := range things {
		if x.size() > 0 {
			kept = append(kept, x)
		}
	}
	return kept
}

func main() {
	for round := 1; round < 5; round++ {
		things := []sized{a(round), &b{"xy"}, a(3), &b{"four"}}
		before := sum(things)
		kept := positive(things)
		if sum(things) != before {
			fmt.Println("WRONG:", before)
			return
		}
		for i, x := range kept {
			kept[i] = a(x.size() + 1)
		}
		if after := sum(things); after != before+1111 {
			fmt.Println("WRONG:", before, after)
			return
		}
	}
	fmt.Println("OK")
}
