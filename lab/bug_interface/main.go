// The slice is kept in an interface, as loggers and queues keep their arguments.
package main

import (
	"fmt"
	"strings"
)

type queue struct {
	items []any
}

func (q *queue) push(v any) { q.items = append(q.items, v) }

func main() {
	q := &queue{}
	var path []string
	for _, dir := range strings.Split("home/ann/docs", "/") {
		path = append(path, dir) // len 3, cap 4 in the end
	}
	for _, file := range []string{"letter", "bill"} {
		q.push(append(path, file)) // want: ghost-write before="letter" after="bill" holder=heap
	}

	first := q.items[0].([]string)
	fmt.Println(strings.Join(first, "/"))
	if first[3] != "letter" {
		fmt.Println("WRONG: the first file is", first[3])
		return
	}
	fmt.Println("OK")
}
