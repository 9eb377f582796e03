// A struct's own array is lent out as a buffer and read afterwards through the struct: its pointer is no slice of the array.
// heal-changes: the array that is lent out as a buffer is read afterwards, and a copy leaves it as it was
package main

import (
	"errors"
	"fmt"
)

type decoder struct {
	name    string
	tables  [40]*int
	weights [256]byte
	count   int
	out     []byte
}

//go:noinline
func decode(in []byte, d *decoder) ([]byte, error) {
	d.out = d.out[:0]
	for i, c := range in {
		if c == 0xff {
			return nil, errors.New("bad input")
		}
		d.out = append(d.out, c&15+byte(i))
	}
	return d.out, nil
}

//go:noinline
func (d *decoder) readTable(in []byte) (sum int, err error) {
	weights := d.weights[:]
	d.out = weights
	b, err := decode(in, d)
	d.out = nil
	if err != nil {
		return 0, fmt.Errorf("decode: %w", err)
	}
	d.count = len(b)
	for n, w := range d.weights[:d.count] {
		sum += n * int(w)
	}
	for i := range d.weights {
		if i < d.count {
			sum += int(d.weights[i])
		}
	}
	return sum, nil
}

func main() {
	d := &decoder{name: "reused"}
	total := 0
	for round := 0; round < 60; round++ {
		in := make([]byte, 10+round%7)
		for i := range in {
			in[i] = byte(round*3 + i*7)
		}
		sum, err := d.readTable(in)
		if err != nil {
			fmt.Println("WRONG:", err)
			return
		}
		total += sum
	}
	if total != 86905 {
		fmt.Println("WRONG:", total)
		return
	}
	fmt.Println("OK")
}
