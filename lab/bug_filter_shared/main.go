// kept := items[:0] on a slice that somebody else still uses: the filter is right, the list it was
// made from is not the same list any more.
// The first element that is kept goes to slot 0 of an emptied buffer, which may be meant; the next ones do not.
package main

import "fmt"

type task struct {
	id   string
	done bool
}

type board struct {
	tasks []task
	open  []task
}

func open(tasks []task) []task {
	kept := tasks[:0]
	for _, t := range tasks {
		if !t.done {
			kept = append(kept, t) // want: ghost-write victim=tasks before="a|b" after="b|c"
		}
	}
	return kept
}

func main() {
	b := &board{tasks: make([]task, 0, 4)}
	for _, id := range []string{"a", "b", "c"} {
		b.tasks = append(b.tasks, task{id, id == "a"})
	}
	b.open = open(b.tasks)

	all := ""
	for _, t := range b.tasks {
		all += t.id
	}
	fmt.Println(all, len(b.open))
	if all != "abc" {
		fmt.Println("WRONG: the tasks are", all)
		return
	}
	fmt.Println("OK")
}
