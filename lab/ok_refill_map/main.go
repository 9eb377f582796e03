// Slices in a map are refilled in place: m[k] = append(m[k][:0], ...).
package main

import (
	"fmt"
	"strings"
)

func main() {
	last := map[string][]string{}
	lines := []string{"get a b", "put c d", "get e f", "put g h", "get i j"}
	for round := 0; round < 60; round++ {
		for _, line := range lines {
			fields := strings.Fields(line)
			last[fields[0]] = append(last[fields[0]][:0], fields[1:]...)
		}
	}
	got := strings.Join(last["get"], "") + strings.Join(last["put"], "")
	if got != "ijgh" {
		fmt.Println("WRONG:", got)
		return
	}
	fmt.Println("OK")
}
