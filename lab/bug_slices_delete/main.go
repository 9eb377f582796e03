// slices.Delete works in place: whoever else holds the slice sees the elements move. The append is in
// package slices, or inlined from it.
// heal-refused: slices.Delete clears the elements behind the new length, which a copy does not have
package main

import (
	"fmt"
	"slices"
)

type playlist struct {
	songs   []int
	history []int
}

func (p *playlist) skip(i int) {
	p.songs = slices.Delete(p.songs, i, i+1) // want: ghost-write victim=history before="202" after="303"
}

func main() {
	p := &playlist{}
	for _, id := range []int{101, 202, 303, 404} {
		p.songs = append(p.songs, id)
	}
	p.history = p.songs
	p.skip(1)

	fmt.Println(p.songs, p.history)
	if p.history[1] != 202 {
		fmt.Println("WRONG: the second song was", p.history[1])
		return
	}
	fmt.Println("OK")
}
