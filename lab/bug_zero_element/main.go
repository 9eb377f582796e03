// The element that is overwritten was all zero: the destination looks like fresh memory.
// geist: --thorough
// heal-refused: an element that was all zero is not told from unused capacity
package main

import "fmt"

type counter struct {
	values []int
}

func (c *counter) plus(v int) *counter {
	return &counter{append(c.values, v)} // want: ghost-write victim=values before="0" after="5"
}

func main() {
	c := &counter{}
	for i := 1; i <= 3; i++ {
		c = c.plus(i)
	}
	none, five := c.plus(0), c.plus(5)
	fmt.Println(none.values, five.values)
	if none.values[3] != 0 {
		fmt.Println("WRONG: nothing is", none.values[3])
		return
	}
	fmt.Println("OK")
}
