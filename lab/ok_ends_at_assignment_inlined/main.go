// The helpers that append are inlined, so old and new header are words on one stack or in registers. The old one ends at
// `marks = out`, after which the slice is bubble-sorted by hand.
package main

import "fmt"

type mark struct {
	at   int
	note string
}

func push(out []mark, m mark) []mark { return append(out, m) }
func wanted(m mark) bool             { return len(fmt.Sprint(m.note)) > 0 }
func swap(s []mark, i, j int)        { s[i], s[j] = s[j], s[i] }

//go:noinline
func bubble(marks []mark) {
	for i := 1; i < len(marks); i++ {
		if marks[i].at < marks[i-1].at {
			swap(marks, i, i-1)
		}
	}
}

//go:noinline
func tidy(marks []mark) string {
	out := marks[:0]
	for i := 0; i < len(marks); i++ {
		if m := marks[i]; wanted(m) {
			out = push(out, m)
		}
	}
	marks = out
	for n := len(marks); n > 1; n-- {
		bubble(marks[:n])
	}
	text := ""
	for i := range marks {
		text += marks[i].note
	}
	return text
}

func main() {
	for n := 2; n < 7; n++ {
		var marks []mark
		for i := 0; i < n; i++ {
			marks = append(marks, mark{n - i, string(rune('a' + n - i - 1))})
		}
		marks = append(marks, mark{})
		if got := tidy(marks); got != "abcdef"[:n] {
			fmt.Println("WRONG:", got)
			return
		}
	}
	fmt.Println("OK")
}
