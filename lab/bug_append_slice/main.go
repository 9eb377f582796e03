// append(a, b...): everything behind the header line of a message is written over the part of the
// message that another slice still names.
package main

import (
	"fmt"
	"strings"
)

// answer replaces what follows the first n lines.
func answer(lines []string, n int, body []string) []string {
	return append(lines[:n], body...) // want: ghost-write victim=request|lines before="give me" after="here it is"
}

func main() {
	request := strings.Split("from: a\nto: b\ngive me\nthe list", "\n")
	reply := answer(request, 2, []string{"here it is"})

	log := strings.Join(request, " | ")
	fmt.Println(strings.Join(reply, " | "))
	fmt.Println(log)
	if request[2] != "give me" {
		fmt.Println("WRONG: the request in the log says", request[2])
		return
	}
	fmt.Println("OK")
}
