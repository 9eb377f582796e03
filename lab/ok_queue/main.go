// A queue that shifts its elements down in place when its head has moved.
package main

import "fmt"

type queue struct {
	items []string
	head  int
}

func (q *queue) push(s string) { q.items = append(q.items, s) }

func (q *queue) pop() string {
	s := q.items[q.head]
	q.head++
	if q.head == 8 {
		q.items = append(q.items[:0], q.items[q.head:]...)
		q.head = 0
	}
	return s
}

func main() {
	q := &queue{}
	next := 0
	for i := 0; i < 400; i++ {
		q.push(fmt.Sprintf("job-%04d", i))
		if i >= 5 {
			if got, want := q.pop(), fmt.Sprintf("job-%04d", next); got != want {
				fmt.Println("WRONG:", got, want)
				return
			}
			next++
		}
	}
	if len(q.items)-q.head != 5 {
		fmt.Println("WRONG:", len(q.items), q.head)
		return
	}
	fmt.Println("OK")
}
