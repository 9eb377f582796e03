// Each worker takes a part of the jobs and puts an end mark behind it, which is the next part's first
// job. Their owner walks over all jobs with the pointer of its slice, which it does not need again.
package main

import (
	"fmt"
	"strconv"
	"sync"
)

var last []string

func count() (wrong int) {
	jobs := make([]string, 32)
	for i := range jobs {
		jobs[i] = strconv.Itoa(i)
	}
	var done sync.WaitGroup
	for i := 0; i < len(jobs); i += 8 {
		part := jobs[i : i+8]
		done.Add(1)
		go func() {
			defer done.Done()
			part = append(part, "end") // want: ghost-write
			last = part
		}()
		done.Wait()
	}
	for i, job := range jobs {
		if job != strconv.Itoa(i) {
			wrong++
		}
	}
	return wrong
}

func main() {
	if wrong := count(); wrong != 0 {
		fmt.Println("WRONG:", wrong, "jobs")
		return
	}
	fmt.Println("OK")
}
