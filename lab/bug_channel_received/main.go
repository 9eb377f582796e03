// Two jobs are put into a channel and taken out again, which empties the channel's slots: whoever
// received a job has the header that stood there.
package main

import (
	"fmt"
	"strings"
)

func main() {
	common := strings.Fields("fetch build test")
	common = append(common, "lint") // len 4, cap 6
	jobs := make(chan []string, 2)
	jobs <- append(common, "deploy")
	jobs <- append(common, "discard") // want: ghost-write before="deploy" after="discard"

	first := <-jobs
	fmt.Println("first", first)
	fmt.Println("second", <-jobs)
	if first[4] != "deploy" {
		fmt.Println("WRONG: the first job ends with", first[4])
		return
	}
	fmt.Println("OK")
}
