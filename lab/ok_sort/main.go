// A work list is filled, sorted in place and emptied again.
package main

import (
	"fmt"
	"sort"
)

type job struct {
	prio int
	name string
}

type planner struct {
	jobs []job
}

func (p *planner) plan(seed int) (first string) {
	p.jobs = p.jobs[:0]
	for i := 0; i < 12; i++ {
		p.jobs = append(p.jobs, job{(i*7 + seed) % 13, fmt.Sprintf("job-%d", i)})
	}
	sort.Slice(p.jobs, func(i, j int) bool { return p.jobs[i].prio < p.jobs[j].prio })
	return p.jobs[0].name
}

func main() {
	p := &planner{}
	names := map[string]bool{}
	for seed := 0; seed < 50; seed++ {
		names[p.plan(seed)] = true
	}
	for i := 1; i < len(p.jobs); i++ {
		if p.jobs[i].prio < p.jobs[i-1].prio {
			fmt.Println("WRONG:", p.jobs)
			return
		}
	}
	if len(names) < 5 {
		fmt.Println("WRONG:", names)
		return
	}
	fmt.Println("OK")
}
