// A list of numbers, and what it takes: an element each, and the number besides.
package main

import (
	"container/list"
	"fmt"
	"os"
)

func main() {
	if len(os.Args) > 1 {
		measure()
		return
	}
	l := list.New()
	for i := 0; i < 1000; i++ {
		l.PushBack(i)
	}
	fmt.Println("OK:", l.Len(), "numbers")
}
