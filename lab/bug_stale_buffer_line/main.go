// A reader hands out its line buffer and reuses it for the next line. Whoever keeps a line sees it
// change.
package main

import "fmt"

type reader struct {
	input []string
	buf   []byte
}

func (r *reader) next() []byte {
	if len(r.input) == 0 {
		return nil
	}
	r.buf = append(r.buf[:0], r.input[0]...) // want: ghost-write victim=name before-hex=61|62 after-hex=62|63
	r.input = r.input[1:]
	return r.buf
}

type person struct {
	name []byte
}

func main() {
	r := &reader{input: []string{"alexander", "bob", "carla"}, buf: make([]byte, 0, 32)}
	var people []*person
	for line := r.next(); line != nil; line = r.next() {
		people = append(people, &person{line})
	}
	for _, p := range people {
		fmt.Printf("%s\n", p.name)
	}
	if got := string(people[0].name); got != "alexander" {
		fmt.Println("WRONG: the first person is", got)
		return
	}
	fmt.Println("OK")
}
