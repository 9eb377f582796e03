// slices.Insert appends in place when there is room: the append is the library's, the call that shares is here.
package main

import (
	"fmt"
	"slices"
)

type plan struct{ steps []string }

//go:noinline
func (p plan) then(step string) plan {
	return plan{slices.Insert(p.steps, len(p.steps), step)} // sleeps: writer
}

func main() {
	base := plan{}
	for _, step := range []string{"fetch", "build", "test", "sign"} {
		base.steps = append(base.steps, step)
	}
	release, nightly := base.then("publish"), base.then("discard")
	fmt.Println(release, nightly)
	if release.steps[4] != "publish" {
		fmt.Println("WRONG: the release is to", release.steps[4])
		return
	}
	fmt.Println("OK")
}
