// A row is cut to nothing by the caller, filled by a function that gives it back, and read through the screen.
//
// heal-changes: the screen shows what was drawn into its lines
package main

import "fmt"

type screen struct{ lines [][]rune }

func draw(dst []rune, s string, width int) []rune {
	for _, r := range s {
		if len(dst) == width {
			break
		}
		dst = append(dst, r)
	}
	for len(dst) < width {
		dst = append(dst, ' ')
	}
	return dst
}

func (s *screen) show(texts []string) {
	for i, t := range texts {
		draw(s.lines[i][:0], t, 10)
	}
}

func main() {
	s := &screen{}
	for i := 0; i < 3; i++ {
		s.lines = append(s.lines, make([]rune, 10))
	}
	for r := 0; r < 4; r++ {
		s.show([]string{fmt.Sprint("round ", r), "static text that is long", fmt.Sprint(r * r)})
		for _, l := range s.lines {
			fmt.Printf("[%s]", string(l))
		}
		fmt.Println()
	}
}
