// An arena hands out parts of one block with their capacity limited, and starts again from the
// beginning when everybody is done.
package main

import "fmt"

type arena struct {
	block []byte
}

func (a *arena) text(s string) []byte {
	start := len(a.block)
	a.block = append(a.block, s...)
	return a.block[start:len(a.block):len(a.block)]
}

type message struct {
	from, to []byte
}

func main() {
	a := &arena{block: make([]byte, 0, 256)}
	count := 0
	for round := 0; round < 100; round++ {
		a.block = a.block[:0] // no message of the last round is left
		var messages []message
		for i := 0; i < 6; i++ {
			messages = append(messages, message{
				from: a.text(fmt.Sprintf("user-%d-%d", round, i)),
				to:   a.text(fmt.Sprintf("peer-%d-%d", round, i)),
			})
		}
		for i, m := range messages {
			reply := append(m.from, '>') // copies: no spare capacity
			if string(reply) == fmt.Sprintf("user-%d-%d>", round, i) && m.to[0] == 'p' {
				count++
			}
		}
	}
	if count != 600 {
		fmt.Println("WRONG:", count)
		return
	}
	fmt.Println("OK")
}
