// The base settings are kept while the current ones get one more entry and a new first value. Whoever compares the two
// sees the old value or the new one, depending on whether the append found room.
package main

import "fmt"

type setting struct {
	name  string
	value int
}

type config struct{ items []setting }

func (c *config) add(name string, value int) {
	c.items = append(c.items, setting{name, value}) // want: stale-slice victim=base
}

func (c *config) set(name string, value int) {
	for i := range c.items {
		if c.items[i].name == name {
			c.items[i].value = value
		}
	}
}

type diff struct{ base []setting }

var (
	current = &config{}
	against *diff
)

func main() {
	c := current
	c.add("timeout", 10)
	c.add("retries", 3)
	against = &diff{base: c.items}
	c.add("verbose", 1)
	c.set("timeout", 30)
	if against.base[0].value != c.items[0].value {
		fmt.Println("WRONG: timeout is", c.items[0].value, "and the base says", against.base[0].value)
		return
	}
	fmt.Println("OK")
}
