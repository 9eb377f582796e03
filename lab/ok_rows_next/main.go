// Columns of a row are scanned into the same slice for each row, as database drivers do; the values
// that are kept are strings.
package main

import (
	"fmt"
	"strings"
)

type rows struct {
	lines  []string
	fields []string
}

func (r *rows) next() bool {
	if len(r.lines) == 0 {
		return false
	}
	r.fields = append(r.fields[:0], strings.Split(r.lines[0], "|")...)
	r.lines = r.lines[1:]
	return true
}

type user struct {
	name, city string
}

func main() {
	var lines []string
	for i := 0; i < 200; i++ {
		lines = append(lines, fmt.Sprintf("user%d|city%d", i, i%7))
	}
	r := &rows{lines: lines}
	var users []user
	for r.next() {
		users = append(users, user{r.fields[0], r.fields[1]})
	}
	for i, u := range users {
		if u.name != fmt.Sprintf("user%d", i) || u.city != fmt.Sprintf("city%d", i%7) {
			fmt.Println("WRONG:", i, u)
			return
		}
	}
	fmt.Println("OK")
}
