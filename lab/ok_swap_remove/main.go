// Swap the last element into the hole, cut, append again: an entity list as games have it.
package main

import "fmt"

type entity struct {
	id int
	hp int
}

type world struct {
	all []entity
}

func (w *world) kill(i int) {
	last := len(w.all) - 1
	w.all[i] = w.all[last]
	w.all = w.all[:last]
}

func main() {
	w := &world{}
	killed := 0
	for i := 0; i < 500; i++ {
		w.all = append(w.all, entity{i, i % 4})
		for j := 0; j < len(w.all); {
			w.all[j].hp--
			if w.all[j].hp < 0 {
				w.kill(j)
				killed++
			} else {
				j++
			}
		}
	}
	if killed+len(w.all) != 500 || len(w.all) != 2 {
		fmt.Println("WRONG:", killed, len(w.all))
		return
	}
	fmt.Println("OK")
}
