// On an error a decoder goes back to the pool twice, by the error's path and by the caller: two
// callers get the same one.
package main

import (
	"errors"
	"fmt"
	"sync"
)

type decoder struct{ out []int }

var decoders = sync.Pool{New: func() any { return new(decoder) }}

//go:noinline
func (d *decoder) decode(text string) error {
	d.out = d.out[:0]
	for _, c := range text {
		if c < '0' || c > '9' {
			decoders.Put(d) // pooled: put
			return errors.New("no digit")
		}
		d.out = append(d.out, int(c-'0'))
	}
	return nil
}

func main() {
	for try := 0; try < 50; try++ { // a goroutine may change its processor, and then its part of the pool
		d := decoders.Get().(*decoder)
		d.decode("1x")
		decoders.Put(d)
		a, b := decoders.Get().(*decoder), decoders.Get().(*decoder)
		a.decode("123")
		b.decode("9")
		if len(a.out) != 3 {
			fmt.Println("WRONG: one decoder for two,", a.out, b.out)
			return
		}
	}
	fmt.Println("OK")
}
