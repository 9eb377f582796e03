package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

const (
	deleteRuns = 1000
	insertRuns = 10000
)

func measure() {
	deletes()
	inserts()
	slices()
	keys()
}

func deletes() {
	panics, left, given := 0, 0, 0
	for i := 0; i < deleteRuns; i++ {
		func() {
			defer func() {
				if recover() != nil {
					panics++
				}
			}()
			m := map[int]bool{}
			for k := 0; k < 20; k++ {
				m[k] = true
			}
			deleted := map[int]bool{}
			for k := range m {
				if deleted[k] {
					given++
				}
				delete(m, k)
				delete(m, (k+1)%20)
				deleted[k], deleted[(k+1)%20] = true, true
			}
			left += len(m)
		}()
	}
	fmt.Printf("fact delete_runs %d\nfact delete_panics %d\nfact delete_left %d\nfact deleted_given %d\n", deleteRuns, panics, left, given)
}

// visited says whether a loop over a map of this size visits the key that it inserts at its first step.
func visited(size int) bool {
	m := map[int]bool{}
	for k := 0; k < size; k++ {
		m[k] = true
	}
	seen := false
	for k := range m {
		m[-1] = true
		seen = seen || k == -1
	}
	return seen
}

func inserts() {
	fmt.Println("fact insert_runs", insertRuns)
	for _, size := range []int{1, 5, 8, 50, 500} {
		runs, seen := insertRuns, 0
		for i := 0; i < runs; i++ {
			if visited(size) {
				seen++
			}
		}
		fmt.Printf("fact visited_percent[%d] %.1f\n", size, 100*float64(seen)/float64(runs))
		if size == 5 {
			fmt.Println("fact visited_runs", seen)
		}
	}
}

func slices() {
	s := []int{1, 2, 3}
	visited, appended := 0, 0
	for _, v := range s {
		if v >= 10 {
			visited++
		}
		s = append(s, v+10)
		appended++
	}
	fmt.Printf("fact appended %d\nfact appended_visited %d\n", appended, visited)

	const from = 10
	list := make([]int, from)
	for i := range list {
		list[i] = i
	}
	times := make([]int, from)
	for i, v := range list {
		times[v]++
		if v%3 == 1 && i < len(list) {
			list = append(list[:i], list[i+1:]...)
		}
	}
	skipped, twice := 0, 0
	for _, n := range times {
		if n == 0 {
			skipped++
		}
		if n > 1 {
			twice++
		}
	}
	fmt.Printf("fact removed_from %d\nfact removed_skipped %d\nfact removed_twice %d\n", from, skipped, twice)
}

const program = `package main

import (
	"fmt"
	"maps"
	"reflect"
)

func main() {
	fmt.Println(reflect.TypeOf(maps.Keys(map[string]int{"a": 1})).Kind())
}
`

// keys builds a program that calls maps.Keys, with the release that built this one, and runs it.
func keys() {
	folder, err := os.MkdirTemp("", "keys")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(folder)
	for name, text := range map[string]string{"main.go": program, "go.mod": "module keys\n\ngo 1.21\n"} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
			panic(err)
		}
	}
	build := exec.Command("go", "run", ".")
	build.Dir = folder
	out, err := build.CombinedOutput()
	words := strings.TrimSpace(string(out))
	lines := strings.Split(words, "\n")
	words = lines[len(lines)-1]
	if err == nil {
		fmt.Printf("fact keys_builds yes\nfact keys_words it gives a %s\nfact keys_kind %s\n", words, words)
		return
	}
	for _, line := range lines {
		if strings.Contains(line, "undefined") {
			fmt.Printf("fact keys_builds no\nfact keys_words %s\nfact keys_kind there is no such function\n", line)
			return
		}
	}
	fmt.Printf("cannot keys_builds go run fails: %s\ncannot keys_kind go run fails: %s\n", words, words)
}
