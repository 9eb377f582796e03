// A least-recently-used cache that keeps its keys in a slice: moving a key to the front shifts the rest in place, the
// values are slices of their own.
package main

import "fmt"

type cache struct {
	size   int
	order  []string
	values map[string][]int
}

func (c *cache) touch(key string) {
	for i, k := range c.order {
		if k == key {
			c.order = append(c.order[:i], c.order[i+1:]...)
			break
		}
	}
	c.order = append(c.order, key)
	if len(c.order) > c.size {
		delete(c.values, c.order[0])
		c.order = append(c.order[:0], c.order[1:]...)
	}
}

func (c *cache) put(key string, values ...int) {
	c.values[key] = append(c.values[key][:0], values...)
	c.touch(key)
}

func (c *cache) get(key string) []int {
	v, ok := c.values[key]
	if ok {
		c.touch(key)
	}
	return v
}

func main() {
	c := &cache{size: 3, values: map[string][]int{}}
	for round := 1; round <= 50; round++ {
		for i, key := range []string{"a", "b", "c", "a", "d", "b"} {
			c.put(key, round, i, round*i)
			if got := c.get(key); got[2] != round*i {
				fmt.Println("WRONG:", key, got)
				return
			}
		}
	}
	fmt.Println(c.order, len(c.values))
	fmt.Println("OK")
}
