// A server is taken out of the list of a pool to spread its load over the others; the pool still has
// the list, and adds up only the second field of what stands in it.
package main

import "fmt"

type server struct{ id, load int }

type pool struct {
	servers []server
	spare   []server
}

func remove[T any](s []T, i int) []T { return append(s[:i], s[i+1:]...) } // want: ghost-write

func (p *pool) others(id int) []server {
	for i, s := range p.servers {
		if s.id == id {
			return remove(p.servers, i)
		}
	}
	return p.servers
}

func (p *pool) total() int {
	total := 0
	for _, s := range p.servers {
		total += s.load
	}
	return total
}

func main() {
	p := &pool{}
	for i := 0; i < 6; i++ {
		p.servers = append(p.servers, server{i, i * 10})
	}
	before := p.total()
	for _, s := range p.others(2) {
		fmt.Println("to", s.id, s.load)
	}
	if after := p.total(); after != before {
		fmt.Println("WRONG: the pool's load is", after)
		return
	}
	fmt.Println("OK")
}
