// A play list whose songs move to the front and to the back.
package main

import "fmt"

type pl struct{ songs []string }

func (p *pl) front(i int) {
	s := p.songs[i]
	rest := append(p.songs[:i], p.songs[i+1:]...)
	p.songs = append(rest, "")
	copy(p.songs[1:], p.songs)
	p.songs[0] = s
}
func (p *pl) back(i int) { s := p.songs[i]; p.songs = append(append(p.songs[:i], p.songs[i+1:]...), s) }
func main() {
	p := &pl{}
	for i := 0; i < 20; i++ {
		p.songs = append(p.songs, fmt.Sprint("s", i))
	}
	for i := 0; i < 200; i++ {
		p.front(i * 7 % 20)
		p.back(i * 3 % 20)
	}
	fmt.Println(p.songs)
}
