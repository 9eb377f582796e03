// What the article hunts: two slices with one array, and the append that grows is not the one that does the damage.
package main

import (
	"fmt"
	"os"
)

//go:noinline
func collect(events []string, event string) []string {
	return append(events, event) // the repair: append(events[:len(events):len(events)], event)
}

func main() {
	if len(os.Args) > 1 && os.Args[1] == "grow" {
		grow()
		return
	}
	if len(os.Args) > 1 && os.Args[1] == "overwrite" {
		overwrite()
		return
	}
	if len(os.Args) > 1 {
		measure()
		return
	}
	events := make([]string, 2, 4)
	first := collect(events, "login")
	second := collect(events, "logout")
	if first[2] != "login" {
		fmt.Printf("WRONG: %s instead of login, beside %s\n", first[2], second[2])
		return
	}
	fmt.Println("OK")
}
