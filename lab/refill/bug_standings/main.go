// The standings of each round are put into the history as the table that the next round is copied into.
package main

import "fmt"

type league struct {
	table   []string
	history [][]string
}

func (l *league) round(order []string) {
	copy(l.table, order) // want: refilled-buffer
	l.history = append(l.history, l.table)
}

func main() {
	l := &league{table: make([]string, 3)}
	for _, order := range [][]string{{"reds", "blues", "greens"}, {"blues", "greens", "reds"}, {"greens", "reds", "blues"}} {
		l.round(order)
	}
	if got := fmt.Sprint(l.history); got != "[[reds blues greens] [blues greens reds] [greens reds blues]]" {
		fmt.Println("WRONG: the history is", got)
		return
	}
	fmt.Println("OK")
}
