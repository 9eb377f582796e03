// A small array on the stack serves as scratch space for appends.
package main

import (
	"fmt"
	"strconv"
)

type total struct {
	digits int
	text   string
}

func (t *total) add(n int) {
	var scratch [20]byte
	b := scratch[:0]
	for ; n > 0; n /= 10 {
		b = append(b, byte('0'+n%10))
	}
	for pass := 0; pass < 2; pass++ { // the second pass overwrites what the first one wrote
		b = append(b[:0], strconv.Itoa(len(b)*7)...)
	}
	t.digits += len(b)
	t.text = string(b)
}

func main() {
	var t total
	for i := 1; i < 1000; i++ {
		t.add(i * i)
	}
	if t.text != "14" || t.digits == 0 {
		fmt.Println("WRONG:", t)
		return
	}
	fmt.Println("OK")
}
