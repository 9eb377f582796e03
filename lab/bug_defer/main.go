// A deferred call appends the final step to the steps it was given; the caller has already published a
// slice that reaches over that slot.
package main

import "fmt"

type journal struct {
	steps []string
	final []string
}

func (j *journal) close(steps []string) {
	j.final = append(steps, "closed") // want: ghost-write victim=steps before="saved" after="closed"
}

func run(j *journal) {
	steps := make([]string, 0, 4)
	steps = append(steps, "opened")
	defer j.close(steps) // evaluated here: len 1
	steps = append(steps, "saved")
	j.steps = steps
}

func main() {
	journals := []*journal{{}, {}}
	for _, j := range journals {
		run(j)
	}
	for _, j := range journals {
		fmt.Println(j.steps, j.final)
	}
	if got := journals[0].steps[1]; got != "saved" {
		fmt.Println("WRONG: the second step is", got)
		return
	}
	fmt.Println("OK")
}
