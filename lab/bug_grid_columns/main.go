// Rows of a grid lie behind each other in one array. A column is added to each, and the sums are made
// by index, grid[y][x].
package main

import "fmt"

func grid(rows, columns int) [][]int {
	cells := make([]int, rows*columns)
	for i := range cells {
		cells[i] = i + 1
	}
	var all [][]int
	for y := 0; y < rows; y++ {
		all = append(all, cells[y*columns:(y+1)*columns])
	}
	return all
}

//go:noinline
func sum(all [][]int, x int) (total int) {
	for y := 0; y < len(all); y++ {
		total += all[y][x]
	}
	return total
}

func main() {
	all := grid(3, 4)
	before := sum(all, 0)
	for y := range all {
		all[y] = append(all[y], -1) // want: ghost-write before="5" after="-1"
	}
	if after := sum(all, 0); after != before {
		fmt.Println("WRONG: the first column adds up to", after)
		return
	}
	fmt.Println("OK")
}
