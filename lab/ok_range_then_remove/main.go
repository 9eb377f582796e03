// The list is walked to the one that is looked for, which is taken out by another function; the walk
// ends there, and a new one begins with the list as it is then. And a walk from the end looks at
// nothing that was moved.
package main

import "fmt"

type job struct {
	name string
	done bool
}

type queue struct {
	jobs map[string][]*job
}

//go:noinline
func (q *queue) drop(name string, i int) {
	list := q.jobs[name]
	q.jobs[name] = append(list[:i], list[i+1:]...)
}

//go:noinline
func (q *queue) dropFirstDone(name string) bool {
	if list, ok := q.jobs[name]; ok && len(list) > 0 {
		for i, j := range list {
			if j.done {
				q.drop(name, i)
				return true
			}
		}
	}
	return false
}

//go:noinline
func (q *queue) dropAllDone(name string) {
	if list, ok := q.jobs[name]; ok {
		for i := len(list) - 1; i >= 0; i-- {
			if list[i].done {
				q.drop(name, i)
			}
		}
	}
}

func fill(states ...bool) []*job {
	list := make([]*job, len(states))
	for i, done := range states {
		list[i] = &job{fmt.Sprint("job-", i), done}
	}
	return list
}

func main() {
	q := &queue{jobs: map[string][]*job{}}
	q.jobs["a"] = fill(false, true, false, true)
	for q.dropFirstDone("a") {
	}
	q.jobs["b"] = fill(true, false, true, true)
	q.dropAllDone("b")
	fmt.Println(len(q.jobs["a"]), q.jobs["a"][1].name, len(q.jobs["b"]), q.jobs["b"][0].name)
	if q.jobs["a"][1].name != "job-2" || q.jobs["b"][0].name != "job-1" {
		fmt.Println("WRONG")
		return
	}
	fmt.Println("OK")
}
