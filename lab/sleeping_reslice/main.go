// A window is cut between length and capacity: where there is no room the index is out of range, as it should be, and where there is
// some it gives elements that nobody put there. Nothing is appended to it: only its growth matters.
package main

import "fmt"

type list struct{ nodes []*int }

func (l *list) window(from, to int) (nodes []*int, err error) {
	defer func() {
		if recover() != nil {
			err = fmt.Errorf("the window %d:%d is out of range", from, to)
		}
	}()
	return l.nodes[from:to], nil
}

func main() {
	l := &list{}
	for i := 0; i < 8; i++ {
		l.nodes = append(l.nodes, &i) // sleeps: growth
	}
	nodes, err := l.window(6, 9)
	if err == nil {
		fmt.Printf("WRONG: a window of %d nodes, the last one of which is nil: %v\n", len(nodes), nodes[2] == nil)
		return
	}
	fmt.Println(err)
	fmt.Println("OK")
}
