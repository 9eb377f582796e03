// The stops of a line without one of them; the line's own stops are walked afterwards, of which only
// one field is read.
// heal-refused: the append is compiled to a copy, and has no path that grows
package main

import "fmt"

type stop struct {
	minutes int
	name    string
}

func express(stops []stop, skip int) []stop {
	out := append(stops[:skip], stops[skip+1:]...) // want: ghost-write victim=line
	return out
}

func main() {
	line := []stop{
		{4, "Harbour"},
		{7, "Market"},
		{3, "Bridge"},
		{9, "Station"},
	}
	fast := express(line, 1)
	minutes := 0
	for _, s := range line {
		minutes += s.minutes
	}
	fmt.Println("the express stops", len(fast), "times, first at", fast[0].name)
	if minutes != 23 {
		fmt.Println("WRONG: the line takes", minutes, "minutes")
		return
	}
	fmt.Println("OK")
}
