// Two goroutines append to one slice that has room.
package main

import (
	"fmt"
	"os"
	"sync"
)

func add(base []string, word string, result *[]string) {
	*result = append(base, word) // the repair: append(base[:len(base):len(base)], word)
}

func main() {
	if len(os.Args) > 1 && os.Args[1] == "work" {
		work()
		return
	}
	if len(os.Args) > 1 {
		measure()
		return
	}
	base := make([]string, 0, 8)
	base = append(base, "host=a", "port=1")
	var first, second []string
	var wg sync.WaitGroup
	wg.Add(2)
	go func() { defer wg.Done(); add(base, "user=first", &first) }()
	go func() { defer wg.Done(); add(base, "user=second", &second) }()
	wg.Wait()
	if first[2] != "user=first" || second[2] != "user=second" {
		fmt.Printf("WRONG: the first goroutine has %q, the second %q\n", first[2], second[2])
		return
	}
	fmt.Println("OK")
}
