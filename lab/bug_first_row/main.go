// Rows with numbers of two digits behind one head. Who looks at the first row looks at the length of
// its number first, which the last rows left as it was.
package main

import (
	"fmt"
	"strconv"
)

//go:noinline
func head() []string {
	words := make([]string, 2, 4)
	copy(words, []string{"id", "is"})
	return words
}

func main() {
	words := head()
	rows := make([][]string, 14)
	for i := range rows {
		rows[i] = append(words, strconv.Itoa(i)) // want: ghost-write
	}
	for i, row := range rows {
		if row[2] != strconv.Itoa(i) {
			fmt.Println("WRONG: row", i)
			return
		}
	}
	fmt.Println("OK")
}
