// Keeps the best few of a stream by insertion, and takes out others by a swap with the last, in one array for all its life.
package main

import "fmt"

type score struct {
	name  string
	value float64
}

type top struct {
	best []score
	k    int
}

func (t *top) add(s score) {
	i := len(t.best)
	for i > 0 && t.best[i-1].value < s.value {
		i--
	}
	if i == t.k {
		return
	}
	if len(t.best) < t.k {
		t.best = append(t.best, score{})
	}
	copy(t.best[i+1:], t.best[i:])
	t.best[i] = s
}

func (t *top) remove(name string) {
	for i, s := range t.best {
		if s.name == name {
			t.best = append(t.best[:i], t.best[i+1:]...)
			return
		}
	}
}

func swapOut(all []string, i int) []string {
	all[i] = all[len(all)-1]
	return all[:len(all)-1]
}

func main() {
	t := &top{k: 6}
	var names []string
	for i := 0; i < 300; i++ {
		name := fmt.Sprint("n", i%40)
		t.remove(name)
		t.add(score{name, float64(i * 7907 % 503)})
		names = append(names, name)
		if len(names) > 9 {
			names = swapOut(names, i%7)
			names = swapOut(names, i%5)
		}
		if i%25 == 0 {
			fmt.Println(t.best, names)
		}
	}
}
