// A merge sort that hands one scratch buffer down, cut in two at each level: a level below fills its part anew while the levels
// above still hold the whole, and each reads only what it has put there itself.
package main

import "fmt"

type order struct {
	price int
	id    string
}

func sortOrders(orders, scratch []order) {
	if len(orders) < 2 {
		return
	}
	m := len(orders) / 2
	sortOrders(orders[:m], scratch[:m])
	sortOrders(orders[m:], scratch[m:])
	merged, left, right := scratch[:0], orders[:m], orders[m:]
	for len(left) > 0 && len(right) > 0 {
		if left[0].price <= right[0].price {
			merged = append(merged, left[0])
			left = left[1:]
		} else {
			merged = append(merged, right[0])
			right = right[1:]
		}
	}
	merged = append(merged, left...)
	merged = append(merged, right...)
	copy(orders, merged)
}

func main() {
	orders := make([]order, 300)
	for i := range orders {
		orders[i] = order{i * 7919 % 1009, fmt.Sprint("o", i)}
	}
	scratch := make([]order, len(orders))
	for round := 0; round < 3; round++ {
		orders[round].price += 500
		sortOrders(orders, scratch)
	}
	for i := 1; i < len(orders); i++ {
		if orders[i-1].price > orders[i].price {
			fmt.Println("WRONG:", i, orders[i-1], orders[i])
			return
		}
	}
	fmt.Println("OK")
}
