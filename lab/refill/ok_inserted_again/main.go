// slices.Insert with room: what is used afterwards is its result, a length that was kept, and a part that is taken again.
package main

import (
	"fmt"
	"slices"
)

type queue struct{ jobs []string }

func (q *queue) urgent(job string) int {
	before := len(q.jobs)
	q.jobs = slices.Insert(q.jobs, 0, job)
	return before
}

func main() {
	q := &queue{jobs: make([]string, 0, 32)}
	local := make([]int, 0, 32)
	sum := 0
	for i := 0; i < 10; i++ {
		sum += q.urgent(fmt.Sprint("job", i))
		front := q.jobs[:1]
		local = slices.Insert(local, len(local)/2, i)
		local = slices.Delete(local, 0, len(local)/5)
		if front[0] != fmt.Sprint("job", i) {
			fmt.Println("WRONG:", front)
			return
		}
	}
	if text := fmt.Sprint(q.jobs[9], local, sum); sum != 45 || q.jobs[9] != "job0" {
		fmt.Println("WRONG:", text)
		return
	}
	fmt.Println("OK")
}
