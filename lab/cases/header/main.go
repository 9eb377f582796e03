// Two settings are derived from one base. The base has room, so the second append writes where the first one wrote.
package main

import (
	"fmt"
	"os"
)

//go:noinline as larger functions are not inlined
func derive(base []string, option string) []string {
	return append(base, option) // the repair: append(base[:len(base):len(base)], option)
}

func main() {
	if len(os.Args) > 1 {
		measure()
		return
	}
	base := make([]string, 0, 4)
	base = append(base, "--color=auto", "--verbose")
	forTests := derive(base, "--dry-run")
	forProduction := derive(base, "--delete")
	fmt.Println("tests run with", forTests)
	fmt.Println("production runs with", forProduction)
	if forTests[2] != "--dry-run" {
		fmt.Printf("WRONG: the tests run with %s\n", forTests[2])
		return
	}
	fmt.Println("OK")
}
