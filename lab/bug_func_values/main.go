// Options as functions: the elements are func values, of two different functions.
package main

import "fmt"

type config struct {
	retries int
}

type option func(*config)

func fast(c *config)  { c.retries = 1 }
func slow(c *config)  { c.retries = 9 }
func nothing(*config) {}

type builder struct {
	opts []option
}

func (b builder) use(o option) builder {
	b.opts = append(b.opts, o) // want: ghost-write victim=opts before="fast" after="slow"
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
		base = base.use(nothing) // len 3, cap 4 in the end
	}
	builders := []builder{base.use(fast), base.use(slow)}

	got := builders[0].build().retries
	fmt.Println("the fast one tries", got)
	if got != 1 {
		fmt.Println("WRONG: the fast one tries", got)
		return
	}
	fmt.Println("OK")
}
