// Two paths through a grid grow from one prefix; the second one's step is written over the first one's. The second path is then
// turned in place by swaps, and only after that the first one is printed.
package main

import "fmt"

type path struct {
	steps []int64
	cost  int64
}

//go:noinline
func (p path) with(step int64) path {
	return path{append(p.steps, step), p.cost + step} // want: ghost-write victim=steps|a|paths
}

func swap(p []int64, i, j int) { p[i], p[j] = p[j], p[i] }

func main() {
	root := path{steps: make([]int64, 0, 6)}
	for i := int64(1); i <= 4; i++ {
		root = root.with(10 * i)
	}
	paths := []path{root.with(11), root.with(99)}
	last := len(root.steps)
	a := paths[0].steps[last]
	swap(paths[1].steps, 0, last)
	swap(paths[1].steps, 1, 3)
	fmt.Println(paths[1].steps, paths[0].steps[0])
	if a+10+20+30+40 != paths[0].cost {
		fmt.Println("WRONG: the steps do not cost", paths[0].cost)
		return
	}
	fmt.Println("OK")
}
