// The table of rows grows between the making of a row's new version and its being stored: until then the old version is
// wrong, and nobody looks at it.
package main

import "fmt"

type sheet struct {
	rows [][]int
}

// bump replaces the last cell of a row, and adds a row with the old one.
func (s *sheet) bump(row int) {
	old := s.rows[row]
	last := old[len(old)-1]
	next := append(old[:len(old)-1], last+100)
	s.rows = append(s.rows, []int{last})
	s.rows[row] = next
}

func main() {
	s := &sheet{rows: [][]int{{1, 2, 3}}}
	for i := 0; i < 10; i++ {
		s.bump(0)
	}
	fmt.Println(s.rows)
	if s.rows[0][2] != 1003 || s.rows[10][0] != 903 || len(s.rows) != 11 {
		fmt.Println("WRONG:", s.rows)
		return
	}
	fmt.Println("OK")
}
