// The elements are functions that call themselves: each has captured itself.
package main

import "fmt"

type config struct {
	tries int
}

type option func(*config)

// Tries `most` times, one after the other.
func again(most int) option {
	var self option
	self = func(c *config) {
		c.tries++
		if c.tries < most {
			self(c)
		}
	}
	return self
}

type builder struct {
	opts []option
}

func (b builder) use(o option) builder {
	b.opts = append(b.opts, o) // want: ghost-write victim=opts before="again" after="again"
	return b
}

func (b builder) build() config {
	var c config
	for _, o := range b.opts {
		o(&c)
	}
	return c
}

func main() {
	var base builder
	for range [3]int{} {
		base = base.use(again(1)) // len 3, cap 4 in the end
	}
	builders := []builder{base.use(again(5)), base.use(again(9))}

	got := builders[0].build().tries
	fmt.Println("five tries:", got)
	if got != 5 {
		fmt.Println("WRONG:", got, "tries")
		return
	}
	fmt.Println("OK")
}
