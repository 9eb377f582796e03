// A method filters the orders of its desk in place, and is inlined into its caller, where everything
// is in registers: the desk's list is read there after the filter.
package main

import (
	"fmt"
	"strings"
)

type order struct {
	name string
	open bool
}

type desk struct{ orders []*order }

func (d desk) open() []*order {
	out := d.orders[:0]
	for _, o := range d.orders {
		if o.open {
			out = append(out, o) // want: ghost-write victim=orders
		}
	}
	return out
}

func (d desk) names() string {
	var names []string
	for _, o := range d.orders {
		names = append(names, o.name)
	}
	return strings.Join(names, ",")
}

func main() {
	var d desk
	for i, name := range strings.Fields("bolts nuts rivets screws washers") {
		d.orders = append(d.orders, &order{name, i%2 == 1})
	}
	before := d.names()
	for _, o := range d.open() {
		fmt.Println("open", o.name)
	}
	after := d.names()
	if after != before {
		fmt.Println("WRONG: the desk has", after)
		return
	}
	fmt.Println("OK")
}
