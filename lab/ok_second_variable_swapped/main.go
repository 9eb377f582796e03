// Two variables by turns: `cur, spare = kept, cur[:0]` would share one array, so the one that is set aside is dropped for
// good: `old, cur = cur, kept` and old is nothing that anybody reads. The bytes are then reversed in place.
package main

import "fmt"

//go:noinline
func isSpace(c byte) bool { return c == ' ' }

//go:noinline
func turn(s []byte) {
	for i, j := 0, len(s)-1; i < j; i, j = i+1, j-1 {
		s[i], s[j] = s[j], s[i]
	}
}

func squeeze(text string) string {
	cur := []byte(text)
	for round := 0; round < 3; round++ {
		kept := cur[:0]
		for i := 0; i < len(cur); i++ {
			if i == 0 || !isSpace(cur[i]) || !isSpace(kept[len(kept)-1]) {
				kept = append(kept, cur[i])
			}
		}
		var old []byte
		old, cur = cur, kept
		if len(old) < len(cur) {
			return "longer than before"
		}
		turn(cur)
	}
	return string(cur)
}

func main() {
	for _, c := range [][2]string{{"abc def", "fed cba"}, {"a  b", "b a"}, {"xyz", "zyx"}, {"1 2   3 4", "4 3 2 1"}} {
		if got := squeeze(c[0]); got != c[1] {
			fmt.Printf("WRONG: %q\n", got)
			return
		}
	}
	fmt.Println("OK")
}
