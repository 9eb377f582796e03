// Copying a struct copies the slice header in it: two jobs made from one template append into the
// same spare slot.
package main

import "fmt"

type job struct {
	name string
	tags []string
}

func (j *job) tag(t string) { j.tags = append(j.tags, t) } // want: ghost-write victim=tags before="nightly" after="manual"

func main() {
	template := job{name: "template"}
	for _, t := range []string{"linux", "amd64", "release"} {
		template.tag(t)
	}
	jobs := make([]job, 2, 8)
	jobs[0], jobs[1] = template, template
	jobs[0].name, jobs[1].name = "build", "deploy"
	jobs[0].tag("nightly")
	jobs[1].tag("manual")

	for i := range jobs {
		fmt.Println(jobs[i].name, jobs[i].tags)
	}
	if got := jobs[0].tags[3]; got != "nightly" {
		fmt.Printf("WRONG: build is tagged %s\n", got)
		return
	}
	fmt.Println("OK")
}
