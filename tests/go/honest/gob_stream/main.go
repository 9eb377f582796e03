// One encoder and one decoder for many values, by a pipe between two goroutines; types with their own encoding, and receivers
// that lack fields.
package main

import (
	"encoding/gob"
	"fmt"
	"io"
	"math/big"
	"time"
)

type Event struct {
	When   time.Time
	What   string
	Who    []string
	Size   *big.Int
	Nested map[int]map[string]bool
	Extra  any
}

type Less struct {
	What string
	Who  []string
}

func main() {
	gob.Register(Less{})
	gob.Register([]Less{})
	r, w := io.Pipe()
	go func() {
		e := gob.NewEncoder(w)
		who := make([]string, 0, 4)
		for i := 0; i < 40; i++ {
			who = append(who[:0], "ann", fmt.Sprint("n", i))
			if i%3 == 0 {
				who = append(who, "cid")
			}
			ev := Event{time.Unix(int64(i)*1e6, 0).UTC(), fmt.Sprint("what", i), who, big.NewInt(int64(i) << 40), nil, nil}
			if i%4 == 0 {
				ev.Nested = map[int]map[string]bool{i: {"a": true}}
				ev.Extra = []Less{{"x", []string{"y"}}}
			}
			if err := e.Encode(&ev); err != nil {
				fmt.Println("WRONG:", err)
			}
		}
		w.Close()
	}()
	d := gob.NewDecoder(r)
	for n := 0; ; n++ {
		if n%2 == 1 {
			var l Less
			if err := d.Decode(&l); err != nil {
				fmt.Println(n, err)
				return
			}
			fmt.Println(l)
			continue
		}
		var ev Event
		if err := d.Decode(&ev); err == io.EOF {
			fmt.Println(n, err)
			return
		} else if err != nil {
			fmt.Println("WRONG:", err)
			return
		}
		fmt.Println(ev.When, ev.What, ev.Who, ev.Size, ev.Nested, ev.Extra)
	}
}
