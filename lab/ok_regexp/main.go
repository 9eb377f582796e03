// Package regexp keeps its machines and their slices in pools.
package main

import (
	"fmt"
	"regexp"
	"strings"
)

func main() {
	re := regexp.MustCompile(`(\w+)@(\w+)\.(com|org)`)
	text := strings.Repeat("ann@home.com, bob@work.org; ", 20)
	matches := re.FindAllStringSubmatch(text, -1)
	swapped := ""
	for i := 0; i < 10; i++ {
		swapped = re.ReplaceAllString(text, "$2:$1")
	}
	if len(matches) != 40 || matches[39][1] != "bob" || !strings.HasPrefix(swapped, "home:ann, work:bob; ") {
		fmt.Println("WRONG:", len(matches), swapped[:40])
		return
	}
	fmt.Println("OK")
}
