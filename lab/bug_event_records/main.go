// Records of five words, of which the last two tell one from the other, are appended to one prefix by
// several sources; the sources are compared by their records afterwards.
package main

import "fmt"

type record struct {
	kind, version, host int
	at, value           int
}

type source struct {
	id   int
	tail []record
}

//go:noinline
func collect(prefix []record, id int) *source {
	return &source{id, append(prefix, record{1, 7, 3, 1000 + id, id * id})} // want: ghost-write victim=tail
}

func main() {
	var prefix []record
	for i := 0; i < 5; i++ {
		prefix = append(prefix, record{1, 7, 3, i, 0})
	}
	var sources []*source
	for id := 1; id <= 4; id++ {
		sources = append(sources, collect(prefix, id))
	}
	for _, s := range sources {
		if last := s.tail[len(s.tail)-1]; last.at != 1000+s.id {
			fmt.Println("WRONG: source", s.id, "has a record of", last.at)
			return
		}
	}
	fmt.Println("OK")
}
