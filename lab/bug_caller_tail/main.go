// A function appends to its argument. The argument is the head of the caller's slice, so its spare
// capacity is the caller's tail.
package main

import (
	"fmt"
	"os"
	"strings"
)

func usage(command []string) string {
	line := append(command, "--help") // want: ghost-write victim=words before="origin" after="--help"
	return strings.Join(line, " ")
}

func main() {
	words := strings.Fields("git push origin main")
	fmt.Println("see", usage(words[:2]))

	remote := words[2]
	fmt.Fprintln(os.Stdout, strings.Join(words, " "))
	if remote != "origin" {
		fmt.Printf("WRONG: pushes to %s\n", remote)
		return
	}
	fmt.Println("OK")
}
