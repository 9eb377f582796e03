// The old owner of a slice hands its array over to a new one and is dropped. It is garbage from then
// on, but it lies in memory with its old header until the collector comes.
package main

import "fmt"

type owner struct {
	rows []string
	age  int
}

func (o *owner) handOver() *owner { return &owner{rows: o.rows[:0], age: o.age + 1} }

func main() {
	current := &owner{rows: make([]string, 0, 8)}
	sum := 0
	for i := 0; i < 100; i++ {
		for j := 0; j < 3; j++ {
			current.rows = append(current.rows, fmt.Sprintf("%02d/%d", i, j))
		}
		for _, r := range current.rows {
			sum += len(r)
		}
		current = current.handOver()
	}
	current.rows = append(current.rows, "end")
	if current.age != 100 || sum != 1200 || current.rows[0] != "end" {
		fmt.Println("WRONG:", current.age, sum)
		return
	}
	fmt.Println("OK")
}
