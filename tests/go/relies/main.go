// Two programs whose exit status says whether they are right. Neither's room comes from growth, and in neither does anybody hold what was
// overwritten for longer than the check takes.
package main

import (
	"fmt"
	"os"
)

//go:noinline
func with(list []int, x int) []int { return append(list, x) }

// fails as long as append writes into the room that both share.
func fails() bool {
	base := append(make([]int, 0, 8), 1, 2, 3)
	first, second := with(base, 10), with(base, 20)
	return first[3] == 10 && second[3] == 20
}

// passes as long as append writes in place: the frame is filled through slices of it that nobody keeps.
func passes() bool {
	frame := []byte{9, 9, 9, 9, 9, 9, 9, 9}
	put(frame[:0], 'h', 'i')
	put(frame[4:4], 'y', 'o')
	return string(frame) == "hi\x09\x09yo\x09\x09"
}

//go:noinline
func put(to []byte, text ...byte) int { return len(append(to, text...)) }

func main() {
	ok := map[string]func() bool{"fails": fails, "passes": passes}[os.Args[1]]()
	fmt.Println("done")
	if !ok {
		os.Exit(1)
	}
}
