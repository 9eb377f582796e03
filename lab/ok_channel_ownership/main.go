// A buffer travels to a consumer and back: only one side holds it at a time.
package main

import "fmt"

type buffer struct {
	data []byte
}

func main() {
	full, empty := make(chan *buffer, 2), make(chan *buffer, 2)
	empty <- &buffer{make([]byte, 0, 32)}
	empty <- &buffer{make([]byte, 0, 32)}
	go func() {
		for i := 0; i < 300; i++ {
			b := <-empty
			b.data = append(b.data[:0], fmt.Sprintf("packet %03d", i)...)
			full <- b
		}
		close(full)
	}()
	i := 0
	for b := range full {
		if string(b.data) != fmt.Sprintf("packet %03d", i) {
			fmt.Printf("WRONG: %d %s\n", i, b.data)
			return
		}
		i++
		empty <- b
	}
	if i != 300 {
		fmt.Println("WRONG:", i)
		return
	}
	fmt.Println("OK")
}
